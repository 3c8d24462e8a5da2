// s = (batch_norm(x @ w^T + b) + bias) / 1.0; s * sigmoid(s), training mode
//   fuse-run p97.mlir --check

func.func @p97(%x: tensor<1024x8192xf32> {fuse.init = #fuse.init<uniform, 0.0, 1.0>},
               %w: tensor<8192x8192xf32> {fuse.init = #fuse.init<uniform, -0.01104854, 0.01104854>},
               %b: tensor<8192xf32> {fuse.init = #fuse.init<uniform, -0.01104854, 0.01104854>},
               %bias: tensor<1xf32> {fuse.init = #fuse.init<normal, 0.0, 1.0>},
               %gamma: tensor<8192xf32> {fuse.init = #fuse.init<uniform, 0.5, 1.5>},
               %beta: tensor<8192xf32> {fuse.init = #fuse.init<normal, 0.0, 0.1>},
               %mean: tensor<8192xf32> {fuse.init = #fuse.init<normal, 0.0, 0.1>, fuse.alias_result = 1},
               %var: tensor<8192xf32> {fuse.init = #fuse.init<uniform, 0.5, 1.5>, fuse.alias_result = 2})
    -> (tensor<1024x8192xf32>, tensor<8192xf32>, tensor<8192xf32>) {
  %one = fuse.constant dense<1.0> : tensor<f32>
  %xw = fuse.matmul %x, %w transpose_b : (tensor<1024x8192xf32>, tensor<8192x8192xf32>) -> tensor<1024x8192xf32>
  %z = fuse.add %xw, %b : (tensor<1024x8192xf32>, tensor<8192xf32>) -> tensor<1024x8192xf32>
  %n, %new_mean, %new_var = fuse.batch_norm %z, %gamma, %beta, %mean, %var
      eps 1.0e-05 momentum 1.0e-01
      : (tensor<1024x8192xf32>, tensor<8192xf32>, tensor<8192xf32>, tensor<8192xf32>, tensor<8192xf32>)
      -> (tensor<1024x8192xf32>, tensor<8192xf32>, tensor<8192xf32>)
  %a = fuse.add %n, %bias : (tensor<1024x8192xf32>, tensor<1xf32>) -> tensor<1024x8192xf32>
  %s = fuse.div %a, %one : (tensor<1024x8192xf32>, tensor<f32>) -> tensor<1024x8192xf32>
  %g = fuse.sigmoid %s : tensor<1024x8192xf32>
  %y = fuse.mul %s, %g : tensor<1024x8192xf32>
  return %y, %new_mean, %new_var
      : tensor<1024x8192xf32>, tensor<8192xf32>, tensor<8192xf32>
}
