// RUN: fuse-opt %s --verify-roundtrip | FileCheck %s
// RUN: fuse-opt %s --mlir-print-op-generic | fuse-opt | FileCheck %s

// CHECK-LABEL: @plain
func.func @plain(%x: tensor<4x8xf32>) -> tensor<4x8xf32> {
  // CHECK: fuse.neg %{{.*}} : tensor<4x8xf32>
  %0 = fuse.neg %x : tensor<4x8xf32>
  // CHECK: fuse.abs %{{.*}} : tensor<4x8xf32>
  %1 = fuse.abs %0 : tensor<4x8xf32>
  // CHECK: fuse.square %{{.*}} : tensor<4x8xf32>
  %2 = fuse.square %1 : tensor<4x8xf32>
  // CHECK: fuse.sign %{{.*}} : tensor<4x8xf32>
  %3 = fuse.sign %2 : tensor<4x8xf32>
  // CHECK: fuse.exp %{{.*}} : tensor<4x8xf32>
  %4 = fuse.exp %3 : tensor<4x8xf32>
  // CHECK: fuse.exp2 %{{.*}} : tensor<4x8xf32>
  %5 = fuse.exp2 %4 : tensor<4x8xf32>
  // CHECK: fuse.expm1 %{{.*}} : tensor<4x8xf32>
  %6 = fuse.expm1 %5 : tensor<4x8xf32>
  // CHECK: fuse.log %{{.*}} : tensor<4x8xf32>
  %7 = fuse.log %6 : tensor<4x8xf32>
  // CHECK: fuse.log2 %{{.*}} : tensor<4x8xf32>
  %8 = fuse.log2 %7 : tensor<4x8xf32>
  // CHECK: fuse.log1p %{{.*}} : tensor<4x8xf32>
  %9 = fuse.log1p %8 : tensor<4x8xf32>
  // CHECK: fuse.sqrt %{{.*}} : tensor<4x8xf32>
  %10 = fuse.sqrt %9 : tensor<4x8xf32>
  // CHECK: fuse.rsqrt %{{.*}} : tensor<4x8xf32>
  %11 = fuse.rsqrt %10 : tensor<4x8xf32>
  // CHECK: fuse.reciprocal %{{.*}} : tensor<4x8xf32>
  %12 = fuse.reciprocal %11 : tensor<4x8xf32>
  // CHECK: fuse.sin %{{.*}} : tensor<4x8xf32>
  %13 = fuse.sin %12 : tensor<4x8xf32>
  // CHECK: fuse.cos %{{.*}} : tensor<4x8xf32>
  %14 = fuse.cos %13 : tensor<4x8xf32>
  // CHECK: fuse.tanh %{{.*}} : tensor<4x8xf32>
  %15 = fuse.tanh %14 : tensor<4x8xf32>
  // CHECK: fuse.erf %{{.*}} : tensor<4x8xf32>
  %16 = fuse.erf %15 : tensor<4x8xf32>
  // CHECK: fuse.sigmoid %{{.*}} : tensor<4x8xf32>
  %17 = fuse.sigmoid %16 : tensor<4x8xf32>
  // CHECK: fuse.log_sigmoid %{{.*}} : tensor<4x8xf32>
  %18 = fuse.log_sigmoid %17 : tensor<4x8xf32>
  // CHECK: fuse.relu %{{.*}} : tensor<4x8xf32>
  %19 = fuse.relu %18 : tensor<4x8xf32>
  // CHECK: fuse.relu6 %{{.*}} : tensor<4x8xf32>
  %20 = fuse.relu6 %19 : tensor<4x8xf32>
  // CHECK: fuse.selu %{{.*}} : tensor<4x8xf32>
  %21 = fuse.selu %20 : tensor<4x8xf32>
  // CHECK: fuse.silu %{{.*}} : tensor<4x8xf32>
  %22 = fuse.silu %21 : tensor<4x8xf32>
  // CHECK: fuse.mish %{{.*}} : tensor<4x8xf32>
  %23 = fuse.mish %22 : tensor<4x8xf32>
  // CHECK: fuse.hardswish %{{.*}} : tensor<4x8xf32>
  %24 = fuse.hardswish %23 : tensor<4x8xf32>
  // CHECK: fuse.hardsigmoid %{{.*}} : tensor<4x8xf32>
  %25 = fuse.hardsigmoid %24 : tensor<4x8xf32>
  // CHECK: fuse.floor %{{.*}} : tensor<4x8xf32>
  %26 = fuse.floor %25 : tensor<4x8xf32>
  // CHECK: fuse.ceil %{{.*}} : tensor<4x8xf32>
  %27 = fuse.ceil %26 : tensor<4x8xf32>
  // CHECK: fuse.round %{{.*}} : tensor<4x8xf32>
  %28 = fuse.round %27 : tensor<4x8xf32>
  // CHECK: fuse.trunc %{{.*}} : tensor<4x8xf32>
  %29 = fuse.trunc %28 : tensor<4x8xf32>
  return %29 : tensor<4x8xf32>
}

// CHECK-LABEL: @parameters
func.func @parameters(%x: tensor<4xf32>) -> tensor<4xf32> {
  // CHECK: fuse.leaky_relu %{{.*}} : tensor<4xf32>
  %0 = fuse.leaky_relu %x slope 0.01 : tensor<4xf32>
  // CHECK: fuse.leaky_relu %{{.*}} slope 2.000000e-01 : tensor<4xf32>
  %1 = fuse.leaky_relu %0 slope 0.2 : tensor<4xf32>
  // CHECK: fuse.elu %{{.*}} alpha 5.000000e-01
  %2 = fuse.elu %1 alpha 0.5 : tensor<4xf32>
  // CHECK: fuse.celu %{{.*}} alpha 2.000000e+00
  %3 = fuse.celu %2 alpha 2.0 : tensor<4xf32>
  // CHECK: fuse.gelu %{{[0-9]+}} : tensor
  %4 = fuse.gelu %3 : tensor<4xf32>
  // CHECK: fuse.gelu %{{.*}} approximate tanh : tensor
  %5 = fuse.gelu %4 approximate tanh : tensor<4xf32>
  // CHECK: fuse.softplus %{{.*}} beta 2.000000e+00 threshold 1.000000e+01
  %6 = fuse.softplus %5 beta 2.0 threshold 10.0 : tensor<4xf32>
  // CHECK: fuse.clamp %{{.*}} min -1.000000e+00 max 1.000000e+00
  %7 = fuse.clamp %6 min -1.0 max 1.0 : tensor<4xf32>
  // CHECK: fuse.clamp %{{.*}} max 6.000000e+00
  %8 = fuse.clamp %7 max 6.0 : tensor<4xf32>
  return %8 : tensor<4xf32>
}

// CHECK-LABEL: @other_types
func.func @other_types(%h: tensor<3xf16>, %b: tensor<3xbf16>, %d: tensor<f64>,
                       %i: tensor<3xi32>, %m: tensor<3xi1>) -> tensor<3xi1> {
  // CHECK: fuse.tanh %{{.*}} : tensor<3xf16>
  %0 = fuse.tanh %h : tensor<3xf16>
  // CHECK: fuse.relu %{{.*}} : tensor<3xbf16>
  %1 = fuse.relu %b : tensor<3xbf16>
  // CHECK: fuse.exp %{{.*}} : tensor<f64>
  %2 = fuse.exp %d : tensor<f64>
  // CHECK: fuse.neg %{{.*}} : tensor<3xi32>
  %3 = fuse.neg %i : tensor<3xi32>
  // CHECK: fuse.not %{{.*}} : tensor<3xi1>
  %4 = fuse.not %m : tensor<3xi1>
  // CHECK: fuse.cast %{{.*}} : tensor<3xf16> -> tensor<3xi64>
  %5 = fuse.cast %h : tensor<3xf16> -> tensor<3xi64>
  // CHECK: fuse.isnan %{{.*}} : tensor<3xf16> -> tensor<3xi1>
  %6 = fuse.isnan %0 : tensor<3xf16> -> tensor<3xi1>
  return %6 : tensor<3xi1>
}
