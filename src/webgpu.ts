/** The engine on WebGPU, apart from `pleiad`, so that a page that does without it does not carry its 27 MB. */

export { createWebGpuEngine } from './engine/onnxruntime/webGpuEngine.js';
