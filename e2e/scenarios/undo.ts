/** Registers what takes a change back. The latest change is taken back first. */
export type Undo = (takeBack: () => Promise<void>) => void;
