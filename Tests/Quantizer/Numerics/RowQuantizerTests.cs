using CsCheck;
using Quilt.Formats.Numerics;
using Quilt.Quantizer.Numerics;

namespace Quilt.Tests.Quantizer.Numerics;

/// <summary>The quantizers that take eight weights at once, held to those that take one, bit for bit.</summary>
public sealed class RowQuantizerTests
{
    // Values of all sizes, among them neighbours of zero and of the largest.
    private static readonly Gen<float> Value = Gen.OneOf(Gen.Float[-1, 1], Gen.Float[-1e-3f, 1e-3f], Gen.Float.OneTwo,
        Gen.OneOf(0f, -0f, 1e-38f, -1e-41f, 1e-45f, 3e38f, -3e38f, 448f, 7.5f, -7.5f),
        Gen.UInt.Select(BitConverter.UInt32BitsToSingle).Where(float.IsFinite));

    private static readonly Gen<(int Columns, int Group)> Shape =
        Gen.OneOf((64, 32), (96, 32), (40, 8), (72, 36), (24, 24), (13, 13), (128, 128), (60, 12), (7, 1), (200, 100));

    [Test]
    public void Packs_the_same_codes_in_bfloat16() => Packs<BFloat16Precision>();

    [Test]
    public void Packs_the_same_codes_in_half() => Packs<HalfPrecision>();

    [Test]
    public void Packs_the_same_codes_in_single() => Packs<SinglePrecision>();

    [Test]
    public void Makes_the_same_fp8_in_bfloat16() => MakesFp8<BFloat16Precision>();

    [Test]
    public void Makes_the_same_fp8_in_half() => MakesFp8<HalfPrecision>();

    [Test]
    public void Makes_the_same_fp8_in_single() => MakesFp8<SinglePrecision>();

    private static void Packs<T>() where T : struct, IPrecision => Gen.Select(Shape, Gen.OneOf(4, 8), Gen.Bool)
        .SelectMany((shape, bits, symmetric) => Row<T>(shape.Columns).Select(row => (shape, bits, symmetric, row)))
        .Sample((shape, bits, symmetric, row) =>
        {
            var (codes, scales, zeros) = GroupQuantizer.Quantize<T>(row, shape.Columns, shape.Group, bits, symmetric);
            // Ranges that overflow have no scale and are refused before they are packed.
            if (!Array.TrueForAll(scales, float.IsFinite)) return;
            var found = new float[scales.Length];
            var foundZeros = new sbyte[symmetric ? 0 : scales.Length];
            GroupRow<T>.FindScales(row, shape.Group, bits, found, foundZeros);
            Assert.That(found, Is.EqualTo(scales));
            Assert.That(foundZeros, Is.EqualTo(zeros ?? []));
            var words = new uint[PackedInt.Words(bits, shape.Columns)];
            Array.Fill(words, 0xDEADBEEF);
            GroupRow<T>.Pack(row, shape.Group, bits, found, foundZeros, words);
            Assert.That(words, Is.EqualTo(Array.ConvertAll(PackedInt.Pack(codes, 1, shape.Columns, bits), word => (uint)word)));
        }, iter: 20_000);

    private static void MakesFp8<T>() where T : struct, IPrecision => Gen.OneOf((64, 128), (130, 128), (70, 32), (256, 128), (5, 5), (96, 48))
        .SelectMany(shape => Row<T>(shape.Item1).Select(row => (shape, row)))
        .Sample((shape, row) =>
        {
            var (columns, block) = shape;
            var (codes, scales) = Fp8BlockQuantizer.Quantize<T>(row, 1, columns, 1, block);
            var largest = new float[scales.Length];
            Fp8Row<T>.Widen(row, block, largest);
            Assert.That(Array.ConvertAll(largest, Fp8BlockQuantizer.Scale<T>), Is.EqualTo(scales));
            var found = new byte[columns];
            Fp8Row<T>.Encode(row, block, scales, found);
            Assert.That(found, Is.EqualTo(codes));
        }, iter: 20_000);

    private static Gen<float[]> Row<T>(int columns) where T : struct, IPrecision =>
        Value.Select(value => float.IsFinite(T.Round(value)) ? T.Round(value) : 0).Array[columns];
}
