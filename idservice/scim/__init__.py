"""Staff accounts over SCIM 2.0, and its refusals (RFC 7644 section 3.12), which every module here may utter."""

from idservice.errors import Kind, register

register(
    {
        "scim_filter": Kind(400, "过滤条件不正确", "The filter is not valid"),
        "scim_syntax": Kind(400, "请求结构不正确", "The request is not built as it must be"),
        "scim_path": Kind(400, "属性路径不正确", "The path is not valid"),
        "scim_no_target": Kind(400, "路径没有对应的值", "The path leads to no value"),
        "scim_value": Kind(400, "属性值不正确", "A value is missing or not acceptable"),
        "scim_mutability": Kind(400, "该属性不可这样修改", "The attribute cannot be changed so"),
        "scim_uniqueness": Kind(409, "该值已被使用", "The value is in use already"),
        "precondition_failed": Kind(412, "资源已被他人修改", "The resource is not at that version any more"),
        "not_implemented": Kind(501, "不提供此操作", "This operation is not offered"),
    }
)
