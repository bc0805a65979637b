/** What Vite gives a page's module: the files of a pattern. */
interface ImportMeta {
  glob<Module>(
    pattern: string,
    options: { readonly query: string; readonly import: string; readonly eager: true },
  ): Record<string, Module>;
}
