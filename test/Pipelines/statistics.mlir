// RUN: fuse-opt %s --fuse-to-ptx=stop-after=tile --statistics -o %t 2>&1 | FileCheck %s
// RUN: %fuse-compile %s --json=%t.json --emit=program -o %t && FileCheck %s --check-prefix=JSON --input-file=%t.json
// RUN: fuse-opt %s --fuse-to-ptx=stop-after=tile -o %t 2>&1 | count 0

// What every pass counted, whether or not LLVM counts.
// CHECK:      fuse-decompose-composites
// CHECK-NEXT:   1  decomposed: {{.+}}
// CHECK:      fuse-form-kernels
// CHECK-DAG:    1  kernels: {{.+}}
// CHECK:      fuse-tile-kernels
// CHECK-DAG:    1  kernels: {{.+}}

// JSON:      "statistics": {
// JSON-DAG:    "fuse-form-kernels": {
// JSON-DAG:    "tile-expand-math": {
// JSON-NEXT:     "expanded": {{[1-9]}}

func.func @f(%x: tensor<64x64xf32>) -> tensor<64x64xf32> {
  %0 = fuse.softmax %x dim 1 : tensor<64x64xf32> -> tensor<64x64xf32>
  return %0 : tensor<64x64xf32>
}
