import { addition } from './addition.ts';
import { copying } from './copying.ts';
import { dyck } from './dyck.ts';
import { recall } from './recall.ts';
import { stories } from './stories.ts';
import type { Task } from './task.ts';

export const TASKS: readonly Task[] = [recall, copying, dyck, addition, stories];
