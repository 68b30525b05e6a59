using Quilt.Formats.Numerics;
using Quilt.Kernels.Weights;
using Quilt.Kernels.Weights.Tiles;

namespace Quilt.Tests.Kernels.Weights;

/// <summary>Weights of every storage format with random codes, scales and zero points.</summary>
internal static class RandomWeights
{
    /// <summary>Every way a weight can be stored, with the odd ones: ragged edges, small groups, reordered columns, zero points.</summary>
    public static readonly string[] Kinds =
    [
        "bf16", "f16", "f32", "fp8-block", "fp8-wide", "fp8-128", "fp8-ragged", "fp8-channel", "fp8-tensor",
        "int4-g32", "int4-g128", "int4-g16", "int4-channel", "int4-asym", "int4-f32scale", "int4-reordered",
        "int8-g32", "int8-channel", "int8-asym",
    ];

    public static Weight Make(string kind, int experts, int rows, int columns, int seed)
    {
        var random = new Random(seed);
        switch (kind)
        {
            case "bf16": return Fill(new BFloat16Weight(kind, experts, rows, columns), random,
                () => (uint)(ushort)((random.Next(110, 128) << 7) | random.Next(128) | (random.Next(2) << 15)));
            case "f16": return Fill(new Float16Weight(kind, experts, rows, columns), random,
                () => BitConverter.HalfToUInt16Bits((Half)((random.NextSingle() * 2) - 1)));
            case "f32": return Fill(new Float32Weight(kind, experts, rows, columns), random,
                () => BitConverter.SingleToUInt32Bits((random.NextSingle() * 2) - 1));
            case "fp8-block": return Fill(new Fp8BlockWeight(kind, experts, rows, columns, 128, 32), random, () => Fp8(random));
            case "fp8-wide": return Fill(new Fp8BlockWeight(kind, experts, rows, columns, 128, 64), random, () => Fp8(random));
            case "fp8-128": return Fill(new Fp8BlockWeight(kind, experts, rows, columns, 128, 128), random, () => Fp8(random));
            case "fp8-ragged": return Fill(new Fp8BlockWeight(kind, experts, rows, columns, 5, 13), random, () => Fp8(random));
            case "fp8-channel": return Fill(new Fp8BlockWeight(kind, experts, rows, columns, 1, columns), random, () => Fp8(random));
            case "fp8-tensor": return Fill(new Fp8BlockWeight(kind, experts, rows, columns, rows, columns), random, () => Fp8(random));
            default: return Integers(kind, experts, rows, columns, random);
        }
    }

    private static Weight Integers(string kind, int experts, int rows, int columns, Random random)
    {
        var parts = kind.Split('-');
        var group = parts[1] switch { "channel" => columns, "asym" or "f32scale" or "reordered" => 32, var g => int.Parse(g[1..]) };
        var scales = parts[1] == "f32scale" ? TileScales.Float32 : TileScales.BFloat16;
        var asymmetric = parts[1] == "asym";
        if (parts[0] == "int8")
        {
            return Fill(new Int8GroupWeight(kind, experts, rows, columns, TileLayout.Even<Int8Format>(columns, group), group, scales, asymmetric),
                random, () => (uint)random.Next(256));
        }
        var layout = TileLayout.Even<Int4Format>(columns, group);
        if (parts[1] == "reordered")
        {
            var groups = (columns + group - 1) / group;
            layout = TileLayout.ByGroup<Int4Format>([.. Enumerable.Range(0, columns).Select(_ => random.Next(groups))], groups);
        }
        return Fill(new Int4GroupWeight(kind, experts, rows, columns, layout, group, scales, asymmetric), random, () => (uint)random.Next(16));
    }

    private static uint Fp8(Random random)
    {
        var code = (byte)random.Next(256);
        return (code & 0x7F) == 0x7F ? 0u : code;
    }

    private static TiledWeight<TFormat> Fill<TFormat>(TiledWeight<TFormat> weight, Random random, Func<uint> code) where TFormat : struct, ITileFormat
    {
        var codes = new uint[weight.Columns];
        var scales = new float[weight.Layout.Segments];
        var zeros = new byte[weight.Layout.Segments];
        for (var e = 0; e < weight.Experts; e++)
        {
            for (var row = 0; row < weight.Rows; row++)
            {
                for (var k = 0; k < codes.Length; k++) codes[k] = code();
                for (var s = 0; s < scales.Length; s++)
                    (scales[s], zeros[s]) = (BFloat16.Round(0.001f + (random.NextSingle() * 0.01f)),
                        (byte)random.Next(TFormat.PerWord == 8 ? 16 : 256));
                weight.SetRow(e, row, codes, scales, zeros);
            }
        }
        return weight;
    }
}
