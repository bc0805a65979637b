import { webgpu } from '@receptance/backend-webgpu';
import { guard } from './support/guards.ts';

guard(webgpu(), 'webgpu');
