// s = (batch_norm(x @ w^T + b) + bias) / 1.0; s * sigmoid(s), training mode
//
// The small size: every channel, filter and stride of the full one, a few tiles
// and a ragged one in each tiled dim. Runs on a CPU in a blink.
//   fuse-run small/p97.mlir --check

func.func @p97(%x: tensor<600x520xf32> {fuse.init = #fuse.init<uniform, 0.0, 1.0>},
               %w: tensor<330x520xf32> {fuse.init = #fuse.init<uniform, -0.04385290, 0.04385290>},
               %b: tensor<330xf32> {fuse.init = #fuse.init<uniform, -0.04385290, 0.04385290>},
               %bias: tensor<1xf32> {fuse.init = #fuse.init<normal, 0.0, 1.0>},
               %gamma: tensor<330xf32> {fuse.init = #fuse.init<uniform, 0.5, 1.5>},
               %beta: tensor<330xf32> {fuse.init = #fuse.init<normal, 0.0, 0.1>},
               %mean: tensor<330xf32> {fuse.init = #fuse.init<normal, 0.0, 0.1>, fuse.alias_result = 1},
               %var: tensor<330xf32> {fuse.init = #fuse.init<uniform, 0.5, 1.5>, fuse.alias_result = 2})
    -> (tensor<600x330xf32>, tensor<330xf32>, tensor<330xf32>) {
  %one = fuse.constant dense<1.0> : tensor<f32>
  %xw = fuse.matmul %x, %w transpose_b : (tensor<600x520xf32>, tensor<330x520xf32>) -> tensor<600x330xf32>
  %z = fuse.add %xw, %b : (tensor<600x330xf32>, tensor<330xf32>) -> tensor<600x330xf32>
  %n, %new_mean, %new_var = fuse.batch_norm %z, %gamma, %beta, %mean, %var
      eps 1.0e-05 momentum 1.0e-01
      : (tensor<600x330xf32>, tensor<330xf32>, tensor<330xf32>, tensor<330xf32>, tensor<330xf32>)
      -> (tensor<600x330xf32>, tensor<330xf32>, tensor<330xf32>)
  %a = fuse.add %n, %bias : (tensor<600x330xf32>, tensor<1xf32>) -> tensor<600x330xf32>
  %s = fuse.div %a, %one : (tensor<600x330xf32>, tensor<f32>) -> tensor<600x330xf32>
  %g = fuse.sigmoid %s : tensor<600x330xf32>
  %y = fuse.mul %s, %g : tensor<600x330xf32>
  return %y, %new_mean, %new_var
      : tensor<600x330xf32>, tensor<330xf32>, tensor<330xf32>
}
