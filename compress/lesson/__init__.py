"""The lesson's five scenes: what each computes, by the library's own methods, and its picture."""
