using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using Quilt.Formats.Numerics;
using Quilt.Formats.Tensors;

namespace Quilt.Tests.Formats.Numerics;

/// <summary>
/// Numbers as stored and their quantizers, bit for bit against PyTorch and compressed-tensors. What a file holds is told by its fields.
/// </summary>
[Category("Conformance")]
public sealed class NumericsGoldenTests
{
    public static IEnumerable<string?> Files() => Shared.Files("golden/numerics", "*.json");

    [TestCaseSource(nameof(Files))]
    public void Every_value_is_matched_exactly(string? file)
    {
        using var document = JsonDocument.Parse(File.ReadAllText(Shared.Require(file)));
        var root = document.RootElement;
        var cases = root.TryGetProperty("cases", out var list) ? list : default;
        var tensors = Path.ChangeExtension(file!, ".safetensors");
        using var values = File.Exists(tensors) ? SafeTensorsFile.Open(tensors) : null;

        if (root.TryGetProperty("decode_bits", out var decoded)) Float8(root, decoded);
        else if (cases[0].TryGetProperty("bf16", out _)) BFloat(root, cases);
        else if (cases[0].TryGetProperty("packed_shape", out _)) foreach (var c in cases.EnumerateArray()) Packing(c, values!);
        else if (cases[0].TryGetProperty("symmetric", out _)) foreach (var c in cases.EnumerateArray()) Groups(c, values!);
        else if (cases[0].TryGetProperty("scale_shape", out _)) foreach (var c in cases.EnumerateArray()) Fp8Blocks(c, values!);
        else Assert.Fail($"{file} holds cases of a kind this test does not know.");
    }

    private static void Float8(JsonElement root, JsonElement decoded)
    {
        for (var b = 0; b < 256; b++)
        {
            var expected = Bits(decoded[b].GetString()!);
            if (float.IsNaN(expected)) Assert.That(Float8E4M3.Decode((byte)b), Is.NaN, $"byte {b:X2}");
            else Assert.That(BitConverter.SingleToUInt32Bits(Float8E4M3.Decode((byte)b)), Is.EqualTo(BitConverter.SingleToUInt32Bits(expected)),
                $"byte {b:X2}");
        }
        var encode = root.GetProperty("encode");
        Assert.That(encode.GetArrayLength(), Is.Positive);
        foreach (var c in encode.EnumerateArray())
        {
            var x = Bits(c.GetProperty("x").GetString()!);
            var expected = c.TryGetProperty("byte", out var b) && b.ValueKind == JsonValueKind.Number
                ? b.GetByte()
                : byte.Parse(b.GetString()!, NumberStyles.HexNumber);
            if (float.IsNaN(x)) Assert.That(Float8E4M3.Encode(x) & 0x7F, Is.EqualTo(0x7F));
            else Assert.That(Float8E4M3.Encode(x), Is.EqualTo(expected), $"{x:R}");
        }
    }

    private static void BFloat(JsonElement root, JsonElement cases)
    {
        foreach (var c in cases.EnumerateArray())
        {
            var x = c.GetProperty("x").GetString()!;
            Assert.That(((BFloat16)Bits(x)).Bits, Is.EqualTo(ushort.Parse(c.GetProperty("bf16").GetString()!, NumberStyles.HexNumber)), x);
        }
        foreach (var x in root.GetProperty("nan").EnumerateArray()) Assert.That((float)(BFloat16)Bits(x.GetString()!), Is.NaN, x.GetString());
    }

    private static void Packing(JsonElement c, SafeTensorsFile values)
    {
        var (name, bits, rows, columns) = (c.GetProperty("name").GetString()!, c.GetProperty("bits").GetInt32(), c.GetProperty("shape")[0].GetInt32(),
            c.GetProperty("shape")[1].GetInt32());
        var codes = Array.ConvertAll(values.ReadIntegers($"{name}.q"), q => (sbyte)q);
        var dense = 32 % bits != 0;
        var packed = Words(values, $"{name}.packed");
        Assert.That(PackedInt.Pack(codes, rows, columns, bits, dense), Is.EqualTo(packed), name);
        Assert.That(PackedInt.Unpack(packed, rows, columns, bits, dense), Is.EqualTo(codes), name);
        var packedRows = Words(values, $"{name}.packed_rows");
        Assert.That(PackedInt.PackRows(codes, rows, columns, bits, dense), Is.EqualTo(packedRows), name);
        Assert.That(PackedInt.UnpackRows(packedRows, rows, columns, bits, dense), Is.EqualTo(codes), name);
        if (!values.Tensors.ContainsKey($"{name}.packed_old")) return;
        var old = Words(values, $"{name}.packed_old");
        Assert.That(PackedInt.Pack(codes, rows, columns, bits), Is.EqualTo(old), name);
        Assert.That(PackedInt.Unpack(old, rows, columns, bits), Is.EqualTo(codes), name);
    }

    private static void Groups(JsonElement c, SafeTensorsFile values)
    {
        var name = c.GetProperty("name").GetString()!;
        var symmetric = c.GetProperty("symmetric").GetBoolean();
        var result = GroupQuantizer.Quantize(
            BFloats(values, $"{name}.weight"), c.GetProperty("shape")[0].GetInt32(), c.GetProperty("shape")[1].GetInt32(), c.GetProperty("group")
                .GetInt32(), c.GetProperty("bits").GetInt32(), symmetric);
        Assert.That(Array.ConvertAll(result.Scales, s => s.Bits), Is.EqualTo(Array.ConvertAll(BFloats(values, $"{name}.scale"), s => s.Bits)),
            $"{name} scale");
        Assert.That(Array.ConvertAll(result.Codes, q => (long)q), Is.EqualTo(values.ReadIntegers($"{name}.q")), $"{name} q");
        if (!symmetric)
            Assert.That(Array.ConvertAll(result.ZeroPoints!, q => (long)q), Is.EqualTo(values.ReadIntegers($"{name}.zero_point")),
                $"{name} zero_point");
    }

    private static void Fp8Blocks(JsonElement c, SafeTensorsFile values)
    {
        var (name, rows, columns) = (c.GetProperty("name").GetString()!, c.GetProperty("shape")[0].GetInt32(), c.GetProperty("shape")[1].GetInt32());
        var weight = BFloats(values, $"{name}.weight");
        var (codes, scales) = Fp8BlockQuantizer.Quantize(weight, rows, columns);
        Assert.That(codes, Is.EqualTo(Bytes(values, $"{name}.q")), $"{name} q");
        Assert.That(scales, Is.EqualTo(values.ReadFloats($"{name}.scale_inv")), $"{name} scale_inv");
        var dequantized = values.ReadFloats($"{name}.dequant");
        var across = (columns + 127) / 128;
        for (var i = 0; i < codes.Length; i++)
            Assert.That(Float8E4M3.Decode(codes[i]) * scales[(i / columns / 128 * across) + (i % columns / 128)], Is.EqualTo(dequantized[i]));
        if (!values.Tensors.ContainsKey($"{name}.ct_q")) return;
        (codes, scales) = Fp8BlockQuantizer.QuantizeWithBFloat16Scales(weight, rows, columns);
        Assert.That(codes, Is.EqualTo(Bytes(values, $"{name}.ct_q")), $"{name} ct_q");
        Assert.That(scales, Is.EqualTo(values.ReadFloats($"{name}.ct_scale")), $"{name} ct_scale");
    }

    private static float Bits(string hex) => BitConverter.UInt32BitsToSingle(uint.Parse(hex, NumberStyles.HexNumber));

    private static int[] Words(SafeTensorsFile file, string name) => Array.ConvertAll(file.ReadIntegers(name), word => (int)word);

    private static byte[] Bytes(SafeTensorsFile file, string name)
    {
        var entry = file.Tensors[name];
        var bytes = new byte[entry.Length];
        file.Read(entry, bytes);
        return bytes;
    }

    private static BFloat16[] BFloats(SafeTensorsFile file, string name) =>
        [.. MemoryMarshal.Cast<byte, ushort>(Bytes(file, name)).ToArray().Select(bits => new BFloat16(bits))];
}
