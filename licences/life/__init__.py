"""The life of a licence beyond single changes (证照生命周期): stops of issuing, two people, objections."""
