// Sets the formulas of a page by KaTeX.
document.querySelectorAll(".math").forEach(element => {
  const text = element.textContent.trim().replace(/^\\[([]|\\[)\]]$/g, "");
  katex.render(text, element, {displayMode: element.tagName === "DIV", throwOnError: false, macros: {"\\lvert": "|", "\\rvert": "|"}});
});
