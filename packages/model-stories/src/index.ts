/** Where the checkpoint of the stories model lies: beside this package's `src` and `dist`. */
export const storiesModel: URL = new URL('../stories.gguf', import.meta.url);
