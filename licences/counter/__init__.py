"""The counter of the no-certificate city (无证明城市窗口): matters, proofs, look-ups."""

from idservice.errors import Kind, register

# What more than one module utters, so that none depends on another for it.
register(
    {
        "authorisation_required": Kind(403, "缺少当事人授权", "The holder's authorisation is missing"),
        "authorisation_refused": Kind(
            403,
            "授权无效、已用过或与当事人、事项不符",
            "The authorisation is void, used, or of somebody or something else",
        ),
        "fields_exceeded": Kind(403, "所要内容超出该事项需要的范围", "The request asks for more than the matter needs"),
    }
)
