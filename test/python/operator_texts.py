"""Texts that the tests of the package compile."""


def chain(dtype="f32", rows=5, inner=7, columns=6):
    """tanh(x @ w + b) * 2."""
    return f"""func.func @chain(%x: tensor<{rows}x{inner}x{dtype}>, %w: tensor<{inner}x{columns}x{dtype}>,
    %b: tensor<{columns}x{dtype}>) -> tensor<{rows}x{columns}x{dtype}> {{
  %two = fuse.constant dense<2.0> : tensor<{dtype}>
  %0 = fuse.matmul %x, %w : (tensor<{rows}x{inner}x{dtype}>, tensor<{inner}x{columns}x{dtype}>) -> tensor<{rows}x{columns}x{dtype}>
  %1 = fuse.add %0, %b : (tensor<{rows}x{columns}x{dtype}>, tensor<{columns}x{dtype}>) -> tensor<{rows}x{columns}x{dtype}>
  %2 = fuse.tanh %1 : tensor<{rows}x{columns}x{dtype}>
  %3 = fuse.mul %2, %two : (tensor<{rows}x{columns}x{dtype}>, tensor<{dtype}>) -> tensor<{rows}x{columns}x{dtype}>
  return %3 : tensor<{rows}x{columns}x{dtype}>
}}"""


def convolution(dtype="f32"):
    """relu(conv2d(x, w)), 2x3x8x9 to 2x4x6x7."""
    return f"""func.func @convolution(%x: tensor<2x3x8x9x{dtype}>, %w: tensor<4x3x3x3x{dtype}>) -> tensor<2x4x6x7x{dtype}> {{
  %0 = fuse.conv2d %x, %w : (tensor<2x3x8x9x{dtype}>, tensor<4x3x3x3x{dtype}>) -> tensor<2x4x6x7x{dtype}>
  %1 = fuse.relu %0 : tensor<2x4x6x7x{dtype}>
  return %1 : tensor<2x4x6x7x{dtype}>
}}"""


def batch_norm(dtype="f32", batch=4):
    """Training-mode batch normalisation whose running statistics are state."""
    x, c = f"tensor<{batch}x3x5x5x{dtype}>", f"tensor<3x{dtype}>"
    return f"""func.func @norm(%x: {x}, %g: {c}, %b: {c}, %m: {c} {{fuse.alias_result = 1 : i64}},
    %v: {c} {{fuse.alias_result = 2 : i64}}) -> ({x}, {c}, {c}) {{
  %y:3 = fuse.batch_norm %x, %g, %b, %m, %v : ({x}, {c}, {c}, {c}, {c}) -> ({x}, {c}, {c})
  return %y#0, %y#1, %y#2 : {x}, {c}, {c}
}}"""


def two_results(dtype="f32"):
    """(x * y, x + x): a value used twice, results that need different inputs."""
    t = f"tensor<3x4x{dtype}>"
    return f"""func.func @two(%x: {t}, %y: {t}) -> ({t}, {t}) {{
  %0 = fuse.mul %x, %y : ({t}, {t}) -> {t}
  %1 = fuse.add %x, %x : ({t}, {t}) -> {t}
  return %0, %1 : {t}, {t}
}}"""


def scalar_sum():
    """The sum of a vector: a rank-0 result."""
    return """func.func @total(%x: tensor<37xf32>) -> tensor<f32> {
  %0 = fuse.reduce sum %x dims [0] : tensor<37xf32> -> tensor<f32>
  return %0 : tensor<f32>
}"""


def total(terms=70, dtype="f32"):
    """The sum of many tensors; the one before the last is state and counts the calls."""
    row = f"tensor<3x{dtype}>"
    arguments = [f"%x{i}: {row}" for i in range(terms)]
    arguments.insert(-1, f"%n: {row} {{fuse.alias_result = 0 : i64}}")
    lines = [f"  %s0 = fuse.mul %x0, %x0 : ({row}, {row}) -> {row}"]
    lines += [f"  %s{i} = fuse.add %s{i - 1}, %x{i} : ({row}, {row}) -> {row}"
              for i in range(1, terms)]
    return f"""func.func @total({", ".join(arguments)}) -> ({row}, {row}) {{
  %one = fuse.constant dense<1.0> : tensor<{dtype}>
  %m = fuse.add %n, %one : ({row}, tensor<{dtype}>) -> {row}
{chr(10).join(lines)}
  return %m, %s{terms - 1} : {row}, {row}
}}"""
