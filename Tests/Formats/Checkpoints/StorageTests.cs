using System.Runtime.InteropServices;
using Quilt.Formats;
using Quilt.Formats.Numerics;
using Quilt.Formats.Tensors;
using Quilt.Tests.TinyModels;

namespace Quilt.Tests.Formats.Checkpoints;

/// <summary>What the tensors of a module may be, and what is refused or warned of, by the full names that are in the file.</summary>
public sealed class StorageTests
{
    [TestCase(4, 64, 8, "int4 g32")]
    [TestCase(8, 64, 16, "int8 g32")]
    [TestCase(3, 64, 7, "int3 g32")]
    [TestCase(3, 64, 6, "int3 g32")]
    [TestCase(6, 96, 20, "int6 g32")]
    [TestCase(2, 64, 4, "int2 g32")]
    public void The_config_says_how_many_bits_a_code_has(int bits, int columns, int words, string scheme)
    {
        using var folder = Packed(bits, columns, words);
        var (module, warnings) = folder.Open(32, columns);
        Assert.That(module.Scheme, Is.EqualTo(scheme));
        Assert.That(warnings, Is.Empty);
    }

    [TestCase(4, 7)]
    [TestCase(4, 4)]
    [TestCase(4, 16)]
    [TestCase(8, 8)]
    [TestCase(3, 8)]
    public void A_packing_of_another_width_than_the_config_s_is_refused(int bits, int words)
    {
        using var folder = Packed(bits, 64, words);
        Refuses(() => folder.Open(32, 64), $"{ModuleFolder.Name}.weight_packed", $"{bits} bits", "group_0", $"[32, {words}]");
    }

    [Test]
    public void Bits_whose_layout_cannot_be_told_are_refused()
    {
        using var folder = Packed(3, 20, 2, group: null);
        Refuses(() => folder.Open(32, 20), "weight_packed", "two layouts");
    }

    [TestCase(8, "int4 g32")]
    [TestCase(16, "int8 g32")]
    [TestCase(4, "int2 g32")]
    public void Without_a_config_the_packing_says_how_many(int words, string scheme)
    {
        using var folder = new ModuleFolder().Add("weight_packed", DType.I32, [32, words]).AddScales("weight_scale", DType.BF16, [32, 2]);
        Assert.That(folder.Open(32, 64).Module.Scheme, Is.EqualTo(scheme));
    }

    // What is loaded is what the definition says, for widths that are held in more bits than they are stored in.
    [TestCase(3, false)]
    [TestCase(3, true)]
    [TestCase(2, false)]
    [TestCase(5, true)]
    [TestCase(6, false)]
    [TestCase(7, true)]
    public void Codes_of_odd_widths_keep_their_values(int bits, bool dense)
    {
        var random = new Random(bits);
        var codes = new sbyte[20 * 64];
        foreach (ref var code in codes.AsSpan()) code = (sbyte)random.Next(-(1 << (bits - 1)), 1 << (bits - 1));
        var packed = PackedInt.Pack(codes, 20, 64, bits, dense);
        using var folder = new ModuleFolder(quantization: ModuleFolder.Compressed("pack-quantized", ModuleFolder.Ints(bits)))
            .Add("weight_packed", DType.I32, [20, packed.Length / 20], MemoryMarshal.AsBytes<int>(packed).ToArray())
            .AddScales("weight_scale", DType.BF16, [20, 2]);
        var rows = folder.LoadRows(20, 64);
        Assert.That(rows, Is.EqualTo(Array.ConvertAll(codes, code => code * 0.5f)));
    }

    public static IEnumerable<TestCaseData> BadScales() =>
        from bad in new[] { 0f, -0f, -1f, float.NaN, float.PositiveInfinity, float.NegativeInfinity }
        from storage in new[]
        {
            ("F8_E4M3", "weight_scale_inv", DType.F32, new long[] { 1, 1 }), ("F8_E4M3", "weight_scale", DType.BF16, [32, 1]),
            ("F8_E4M3", "weight_scale", DType.F32, [1]), ("F8_E4M3", "weight_scale", DType.F32, []), ("F8_E4M3", "weight_scale", DType.F16, [32, 2]),
            ("I32", "weight_scale", DType.BF16, [32, 2]), ("I32", "weight_scale", DType.F16, [32, 1]), ("I32", "weight_scale", DType.F32, [32, 2]),
        }
        select new TestCaseData(bad, storage.Item1, storage.Item2, storage.Item3, storage.Item4);

    [TestCaseSource(nameof(BadScales))]
    public void A_scale_that_is_not_finite_and_more_than_0_is_refused(float bad, string codes, string suffix, DType type, long[] shape)
    {
        using var folder = new ModuleFolder();
        if (codes == "I32") folder.Add("weight_packed", DType.I32, [32, 8]);
        else folder.Add("weight", DType.F8E4M3, [32, 64]);
        folder.AddScales(suffix, type, shape, bad);
        Refuses(() => folder.Load(32, 64), "model.safetensors", $"{ModuleFolder.Name}.{suffix}", "more than 0");
    }

    // 2^-127 and 2^127 are the ends; 255 is no number.
    [TestCase(DType.U8)]
    [TestCase(DType.F8E8M0)]
    public void A_power_of_two_is_an_exact_scale_and_its_NaN_is_refused(DType type)
    {
        byte[] codes = [.. Enumerable.Range(0, 2 * 64).Select(i => (byte)(i % 0x7F))];
        ModuleFolder Folder(params byte[] scales) =>
            new ModuleFolder().Add("weight", DType.F8E4M3, [2, 64], codes).Add("weight_scale", type, [2, 2], scales);
        using var folder = Folder(0, 254, 127, 120);
        var scale = new[] { MathF.ScaleB(1, -127), MathF.ScaleB(1, 127), 1, 1 / 128f };
        Assert.That(folder.LoadRows(2, 64), Is.EqualTo(codes.Select((code, i) => Float8E4M3.Decode(code) * scale[i / 32])));
        using var bad = Folder(127, 127, 255, 127);
        Refuses(() => bad.Load(2, 64), $"{ModuleFolder.Name}.weight_scale", "NaN", "index 2");
        using var odd = new ModuleFolder().Add("weight", DType.F8E4M3, [2, 64], codes).Add("weight_scale", type, [2, 1]);
        Refuses(() => odd.Load(2, 64), $"{ModuleFolder.Name}.weight_scale", "[2, 2]", "[2, 1]");
    }

    [Test]
    public void Two_ways_of_storing_one_module_are_refused_by_both_names()
    {
        using var folder = new ModuleFolder().Add("weight", DType.BF16, [32, 64]).Add("weight_packed", DType.I32, [32, 8])
            .AddScales("weight_scale", DType.BF16, [32, 2]);
        Refuses(() => folder.Open(32, 64), $"{ModuleFolder.Name}.weight_packed", $"{ModuleFolder.Name}.weight;");
        using var scales = new ModuleFolder().Add("weight", DType.F8E4M3, [32, 64]).AddScales("weight_scale", DType.F32, [1])
            .AddScales("weight_scale_inv", DType.F32, [1]);
        Refuses(() => scales.Open(32, 64), $"{ModuleFolder.Name}.weight_scale_inv", $"{ModuleFolder.Name}.weight_scale;");
    }

    [TestCase("weight", DType.U8)]
    [TestCase("weight", DType.F8E5M2)]
    [TestCase("weight_packed", DType.U8)]
    public void Storage_that_is_not_known_is_refused_with_all_that_is(string suffix, DType type)
    {
        using var folder = new ModuleFolder().Add(suffix, type, [32, 32]);
        Refuses(() => folder.Open(32, 64), $"{ModuleFolder.Name}.{suffix}", type.FileName(), "BF16", "F8_E4M3", "I32");
    }

    [Test]
    public void A_module_that_is_not_there_is_missed_by_its_full_name()
    {
        using var folder = new ModuleFolder().Add("bias", DType.BF16, [32]);
        Refuses(() => folder.Open(32, 64), $"{ModuleFolder.Name}.weight", "found none");
    }

    [Test]
    public void Warnings_name_the_tensor_they_are_about()
    {
        using var folder = new ModuleFolder(quantization: ModuleFolder.Compressed("pack-quantized", ModuleFolder.Ints(4, 16)))
            .Add("weight_packed", DType.I32, [32, 8]).AddScales("weight_scale", DType.BF16, [32, 2]);
        Assert.That(folder.Open(32, 64).Warnings, Has.One.StartsWith($"{ModuleFolder.Name}.weight_scale: "));
        using var dense = new ModuleFolder(quantization: ModuleFolder.Compressed("pack-quantized", ModuleFolder.Ints(4)))
            .Add("weight", DType.BF16, [32, 64]).AddScales("weight_scale", DType.BF16, [32, 2]);
        Assert.That(dense.Open(32, 64).Warnings, Has.One.StartsWith($"{ModuleFolder.Name}.weight: ").And.One.StartsWith(
            $"{ModuleFolder.Name}.weight_scale: "));
    }

    [Test]
    public void A_complaint_has_the_name_that_is_in_the_file()
    {
        const string Stored = "model.layers.0.block_sparse_moe.experts.1.gate_proj";
        using var folder = new ModuleFolder("mixtral").Add("weight", DType.F8E4M3, [32, 64], name: Stored)
            .AddScales("weight_scale", DType.F32, [1], middle: 0, name: Stored);
        Refuses(() => folder.Load(32, 64, "model.layers.0.block_sparse_moe.experts.1.w1"), $"{Stored}.weight_scale:");
    }

    // Counted in bytes: what is made for a row of segments grows with their number, not with its square.
    [Test]
    public void Loading_many_small_groups_takes_memory_in_proportion()
    {
        long Allocated(int columns)
        {
            using var folder = new ModuleFolder().Add("weight_packed", DType.I32, [16, columns / 8])
                .AddScales("weight_scale", DType.BF16, [16, columns]);
            folder.Load(16, columns);
            var before = GC.GetTotalAllocatedBytes(precise: true);
            folder.Load(16, columns);
            return GC.GetTotalAllocatedBytes(precise: true) - before;
        }

        var (few, many) = (Allocated(8192), Allocated(65536));
        Assert.That(many, Is.LessThan(10 * few), $"8 times the columns: {few} and {many} bytes");
    }

    private static ModuleFolder Packed(int bits, int columns, int words, int? group = 32) =>
        new ModuleFolder(quantization: ModuleFolder.Compressed("pack-quantized", ModuleFolder.Ints(bits, group)))
            .Add("weight_packed", DType.I32, [32, words]).AddScales("weight_scale", DType.BF16, [32, group is null ? 1 : columns / 32]);

    private static void Refuses(Action action, params string[] words)
    {
        var refused = Assert.Throws<BadInputException>(() => action())!;
        foreach (var word in words) Assert.That(refused.Message, Does.Contain(word));
    }
}
