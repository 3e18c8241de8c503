"""How an object is filled and stroked: by itself, its drawing parameters, or its layer."""

import pytest

from tests.unit.seals.test_ofd_svg import drawn, path

BLUE = '<ofd:DrawParam ID="5" LineWidth="2" Cap="Round"><ofd:StrokeColor Value="0 0 255"/></ofd:DrawParam>'
GREEN = '<ofd:DrawParam ID="6" Relative="5"><ofd:StrokeColor Value="0 255 0"/></ofd:DrawParam>'


def coloured(colour: str, kind: str = "Fill") -> str:
    object_ = path("M 0 0 L 9 9", Fill="true", Stroke="true" if kind == "Stroke" else "false")
    return drawn(object_.replace("<ofd:Abb", f"<ofd:{kind}Color {colour}</ofd:{kind}Color><ofd:Abb", 1))


def test_what_an_object_does_not_say_its_parameters_say_and_then_its_layers() -> None:
    line = path("M 0 0 L 9 9")
    own = drawn(path("M 0 0 L 9 9", DrawParam="6", LineWidth="7"), BLUE + GREEN)
    assert 'stroke="#00ff00" stroke-width="7" stroke-linecap="round"' in own
    in_layers = drawn(f'<ofd:Layer DrawParam="5">{line}</ofd:Layer><ofd:Layer>{line}</ofd:Layer>', BLUE)
    assert in_layers.index('stroke="#0000ff" stroke-width="2"') < in_layers.index('stroke="#000" stroke-width="0.353"')
    assert drawn(path("M 0 0 L 9 9", DrawParam="8"), BLUE.replace("ID", 'Relative="8" ID').replace('"5"', '"8"'))


def test_dashes_joins_and_ends_of_lines() -> None:
    line = drawn(path("M 0 0 L 9 9", DashPattern="3 1", DashOffset="2", Join="Bevel", Cap="Square"))
    assert 'stroke-linecap="square" stroke-linejoin="bevel" stroke-dasharray="3 1" stroke-dashoffset="2"' in line
    plain = drawn(path("M 0 0 L 9 9", DashPattern="0 0", MiterLimit="0.5", Join="X"))
    assert "dasharray" not in plain
    assert 'stroke-miterlimit="1"' in plain


def test_shadings_become_gradients() -> None:
    stops = "".join(
        f'<ofd:Segment {at}><ofd:Color Value="{shade}"/></ofd:Segment>'
        for at, shade in (('Position="0.25"', "255 0 0"), ("", "0 0 255"))
    )
    axial = coloured(f'><ofd:AxialShd StartPoint="1 2" EndPoint="3 4" MapType="Repeat">{stops}</ofd:AxialShd>')
    assert (
        '<linearGradient gradientUnits="userSpaceOnUse" x1="1" y1="2" x2="3" y2="4" spreadMethod="repeat" id="d1">'
        in axial
    )
    assert '<stop offset="0.25" stop-color="#ff0000"/><stop offset="1" stop-color="#0000ff"/>' in axial
    assert 'fill="url(#d1)"' in axial
    radial = f'><ofd:RadialShd StartPoint="1 2" EndPoint="3 4" EndRadius="5">{stops}</ofd:RadialShd>'
    assert 'fx="1" fy="2" cx="3" cy="4" r="5"' in coloured(radial, "Stroke")


@pytest.mark.parametrize(
    "inner",
    ["<ofd:Pattern/>", "<ofd:AxialShd/>", '<ofd:AxialShd StartPoint="1 2" EndPoint="3 4"/>', "<ofd:GouraudShd/>"],
)
def test_what_is_not_drawn_here_is_grey(inner: str) -> None:
    assert 'fill="#ddd"' in coloured(f">{inner}")


def test_a_colour_may_shine_through() -> None:
    assert 'fill="#ff0000" fill-opacity="0.2"' in coloured('Value="255 0 0" Alpha="51">')
