export const dispatcher = () => ({ decisions: [] });
