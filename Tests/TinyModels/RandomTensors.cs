using System.Runtime.InteropServices;
using Quilt.Formats.Numerics;
using Quilt.Formats.Tensors;

namespace Quilt.Tests.TinyModels;

/// <summary>Random tensors of a checkpoint: normal numbers, the same for a seed and order of calls, and the forms they are stored in.</summary>
internal abstract class RandomTensors(int seed)
{
    private readonly Random random = new(seed);

    protected float[] Normal(int count, float mean, float deviation)
    {
        var values = new float[count];
        foreach (ref var value in values.AsSpan())
            value = mean + (deviation * MathF.Sqrt(-2 * MathF.Log(1 - random.NextSingle())) * MathF.Cos(2 * MathF.PI * random.NextSingle()));
        return values;
    }

    /// <summary>A norm's gains, around one.</summary>
    protected TensorToWrite Gain(string name, int length) => BFloat16(name, [length], Normal(length, 1, 0.1f));

    protected static TensorToWrite BFloat16(string name, long[] shape, float[] values) =>
        new(name, DType.BF16, shape, MemoryMarshal.AsBytes<BFloat16>(Round(values)).ToArray());

    protected static TensorToWrite Float32(string name, long[] shape, float[] values) =>
        new(name, DType.F32, shape, MemoryMarshal.AsBytes<float>(values).ToArray());

    /// <summary>A weight as packed integers with scales in groups of a row: codes, scales and shape.</summary>
    protected static IEnumerable<TensorToWrite> Packed(string name, float[] weight, int rows, int columns, int bits, int group)
    {
        var result = GroupQuantizer.Quantize(Round(weight), rows, columns, group, bits, symmetric: true);
        var packed = PackedInt.Pack(result.Codes, rows, columns, bits);
        yield return new($"{name}.weight_packed", DType.I32, [rows, packed.Length / rows], MemoryMarshal.AsBytes<int>(packed).ToArray());
        yield return new($"{name}.weight_scale", DType.BF16, [rows, columns / group], MemoryMarshal.AsBytes<BFloat16>(result.Scales).ToArray());
        yield return new($"{name}.weight_shape", DType.I64, [2], MemoryMarshal.AsBytes<long>([rows, columns]).ToArray());
    }

    protected static BFloat16[] Round(float[] values) => Array.ConvertAll(values, value => (BFloat16)value);
}
