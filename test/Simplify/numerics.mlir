// The rewritten graph is the graph: both evaluated in float64, on the same inputs.
// RUN: fuse-opt %s --fuse-simplify -o %t
// RUN: fuse-run %t --entry=pooled --device=reference --check=%s
// RUN: fuse-run %t --entry=decreasing --device=reference --check=%s
// RUN: fuse-run %t --entry=biased_norm --device=reference --check=%s
// RUN: fuse-run %t --entry=evaluated_norm --device=reference --check=%s
// RUN: fuse-run %t --entry=groups --device=reference --check=%s
// RUN: fuse-run %t --entry=scalars --device=reference --check=%s
// RUN: fuse-run %t --entry=joined --device=reference --check=%s
// RUN: fuse-run %t --entry=sums --device=reference --check=%s
// RUN: fuse-run %t --entry=moved --device=reference --check=%s
// RUN: fuse-run %t --entry=averaged --device=reference --check=%s

!x = tensor<2x6x9x8xf64>
!c = tensor<6xf64>

// Padding, overlapping windows, a second factor of the other sign.
func.func @pooled(%x: !x {fuse.init = #fuse.init<normal, 0.0, 2.0>}, %b: tensor<6x1x1xf64>) -> tensor<2x6x5x4xf64> {
  %c = fuse.constant dense<-3.0> : tensor<f64>
  %0 = fuse.add %x, %b : (!x, tensor<6x1x1xf64>) -> !x
  %1 = fuse.tanh %0 : !x
  %2 = fuse.mul %1, %c : (!x, tensor<f64>) -> !x
  %3 = fuse.max_pool2d %2 kernel [3, 3] stride [2, 2] padding [1, 1] : !x -> tensor<2x6x5x4xf64>
  return %3 : tensor<2x6x5x4xf64>
}

func.func @decreasing(%x: !x {fuse.init = #fuse.init<normal, 0.0, 2.0>}) -> tensor<2x6x4x4xf64> {
  %c = fuse.constant dense<0.5> : tensor<f64>
  %0 = fuse.sub %c, %x : (tensor<f64>, !x) -> !x
  %1 = fuse.sigmoid %0 : !x
  %2 = fuse.window_reduce min %1 window [2, 2] stride [2, 2] : !x -> tensor<2x6x4x4xf64>
  return %2 : tensor<2x6x4x4xf64>
}

func.func @biased_norm(%x: !x, %b: tensor<1x6x1x1xf64>, %g: !c, %mean: !c, %var: !c) -> (!x, !c, !c) {
  %b2 = fuse.reshape %b : tensor<1x6x1x1xf64> -> !c
  %0 = fuse.add %x, %b : (!x, tensor<1x6x1x1xf64>) -> !x
  %1:3 = fuse.batch_norm %0, %g, %b2, %mean, %var momentum 0.3 : (!x, !c, !c, !c, !c) -> (!x, !c, !c)
  return %1#0, %1#1, %1#2 : !x, !c, !c
}

func.func @evaluated_norm(%x: !x, %g: !c, %b: !c, %mean: !c, %var: !c) -> !x {
  %0 = fuse.batch_norm_inference %x, %g, %b, %mean, %var : (!x, !c, !c, !c, !c) -> !x
  return %0 : !x
}

func.func @groups(%x: !x, %g: !c, %b: !c) -> !x {
  %0 = fuse.group_norm %x groups 2 gamma %g beta %b : (!x, !c, !c) -> !x
  return %0 : !x
}

func.func @scalars(%x: !x) -> !x {
  %a = fuse.constant dense<0.7> : tensor<f64>
  %b = fuse.constant dense<-1.9> : tensor<f64>
  %n = fuse.constant dense<3.0> : tensor<f64>
  %0 = fuse.mul %x, %a : (!x, tensor<f64>) -> !x
  %1 = fuse.div %0, %b : (!x, tensor<f64>) -> !x
  %2 = fuse.neg %1 : !x
  %3 = fuse.sub %2, %a : (!x, tensor<f64>) -> !x
  %4 = fuse.add %3, %b : (!x, tensor<f64>) -> !x
  %5 = fuse.pow %4, %n : (!x, tensor<f64>) -> !x
  return %5 : !x
}

func.func @joined(%x: !x, %y: tensor<2x1x9x8xf64>) -> tensor<2x13x9x8xf64> {
  %0 = fuse.concat %x, %y, %x dim 1 : (!x, tensor<2x1x9x8xf64>, !x) -> tensor<2x13x9x8xf64>
  return %0 : tensor<2x13x9x8xf64>
}

func.func @averaged(%x: !x) -> tensor<2x6x5x4xf64> {
  %0 = fuse.avg_pool2d %x kernel [3, 2] stride [2, 2] padding [1, 0] ceil_mode count_include_pad false : !x -> tensor<2x6x5x4xf64>
  return %0 : tensor<2x6x5x4xf64>
}

func.func @moved(%x: !x, %w: tensor<4x6x3x3xf64>, %m: tensor<8x5xf64>) -> (tensor<2x4x9x10xf64>, tensor<2x4x9x5xf64>, tensor<2x6x8x8xf64>) {
  %0 = fuse.pad %x low [0, 0, 0, 2] high [0, 0, 0, 2] value 0.0 : f64 : !x -> tensor<2x6x9x12xf64>
  %1 = fuse.conv2d %0, %w padding [1, 0] precision f64 : (tensor<2x6x9x12xf64>, tensor<4x6x3x3xf64>) -> tensor<2x4x9x10xf64>
  %2 = fuse.slice %1 offsets [0, 0, 0, 1] sizes [2, 4, 9, 8] strides [1, 1, 1, 1] : tensor<2x4x9x10xf64> -> tensor<2x4x9x8xf64>
  %3 = fuse.transpose %m permutation [1, 0] : tensor<8x5xf64> -> tensor<5x8xf64>
  %4 = fuse.matmul %2, %3 transpose_b : (tensor<2x4x9x8xf64>, tensor<5x8xf64>) -> tensor<2x4x9x5xf64>
  %5 = fuse.pad %x low [0, 0, 1, 1] high [0, 0, 0, 1] value 0xFFF0000000000000 : f64 : !x -> tensor<2x6x10x10xf64>
  %6 = fuse.window_reduce max %5 window [3, 3] : tensor<2x6x10x10xf64> -> tensor<2x6x8x8xf64>
  return %1, %4, %6 : tensor<2x4x9x10xf64>, tensor<2x4x9x5xf64>, tensor<2x6x8x8xf64>
}

func.func @sums(%x: !x, %y: !x, %c: tensor<6x1x1xf64>, %v: tensor<2x1x1x8xf64>) -> (!c, !c, tensor<2x1x1x8xf64>, tensor<9xf64>, tensor<6x9xf64>) {
  %k = fuse.constant dense<-0.3> : tensor<f64>
  %0 = fuse.mul %x, %c : (!x, tensor<6x1x1xf64>) -> !x
  %1 = fuse.neg %0 : !x
  %2 = fuse.mul %y, %1 : !x
  %3 = fuse.div %2, %c : (!x, tensor<6x1x1xf64>) -> !x
  %4 = fuse.mul %3, %k : (!x, tensor<f64>) -> !x
  %5 = fuse.reduce sum %4 dims [0, 2, 3] : !x -> !c
  %6 = fuse.reduce sum %0 dims [0, 2, 3] : !x -> !c
  %7 = fuse.mul %2, %v : (!x, tensor<2x1x1x8xf64>) -> !x
  %8 = fuse.reduce sum %7 dims [1, 2] keepdims : !x -> tensor<2x1x1x8xf64>
  %9 = fuse.broadcast %v : tensor<2x1x1x8xf64> -> !x
  %10 = fuse.reduce sum %9 dims [0, 1, 3] : !x -> tensor<9xf64>
  %11 = fuse.reduce sum %x dims [3] : !x -> tensor<2x6x9xf64>
  %12 = fuse.reduce sum %11 dims [0] : tensor<2x6x9xf64> -> tensor<6x9xf64>
  return %5, %6, %8, %10, %12 : !c, !c, tensor<2x1x1x8xf64>, tensor<9xf64>, tensor<6x9xf64>
}
