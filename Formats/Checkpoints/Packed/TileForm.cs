using System.Globalization;
using System.Text.Json;
using Quilt.Formats.Checkpoints.Storage;
using Quilt.Formats.Tensors;

namespace Quilt.Formats.Checkpoints.Packed;

/// <summary>What the tiles of one matrix, or of a stack of them of one shape, are (docs/packing.md, "File").</summary>
/// <param name="Experts">Matrices in the stack; 0: one matrix that is none of a stack.</param>
/// <param name="Rows">Outputs.</param>
/// <param name="Columns">Inputs.</param>
/// <param name="Row">What its rows are made of.</param>
/// <param name="CodeBits">Bits of a code in the checkpoint that was packed.</param>
internal sealed record TileForm(int Experts, int Rows, int Columns, RowForm Row, int CodeBits)
{
    /// <summary>Suffix of the tensor of words, U32 [tiles, words, 16]; a stack has its number of matrices in front.</summary>
    public const string Tiles = "tiles";

    /// <summary>Suffix of the scales, BF16 or F32 [tiles, segments, 16].</summary>
    public const string Scales = "tile_scales";

    /// <summary>Suffix of the zero points, U8 [tiles, segments, 16].</summary>
    public const string Zeros = "tile_zeros";

    /// <summary>Suffix of the group of each column, I32 [columns], where groups are not in the order of columns.</summary>
    public const string Groups = "tile_groups";

    /// <summary>All suffixes.</summary>
    public static IReadOnlyList<string> Suffixes { get; } = [Tiles, Scales, Zeros, Groups];

    private static readonly (CodeType Type, string Word)[] Words =
    [
        (CodeType.BFloat16, "bf16"), (CodeType.Float16, "f16"), (CodeType.Float32, "f32"), (CodeType.Float8, "fp8"), (CodeType.Int4, "int4"),
        (CodeType.Int8, "int8"),
    ];

    /// <summary>The form as the metadata has it.</summary>
    public void Write(Utf8JsonWriter writer)
    {
        writer.WriteStartObject();
        writer.WriteNumber("experts", Experts);
        writer.WriteNumber("rows", Rows);
        writer.WriteNumber("columns", Columns);
        writer.WriteString("codes", Array.Find(Words, word => word.Type == Row.Codes).Word);
        writer.WriteNumber("bits", CodeBits);
        writer.WriteNumber("group", Row.GroupColumns);
        writer.WriteNumber("scale_rows", Row.ScaleRows);
        writer.WriteString("scales", Row.Scales?.FileName() ?? "none");
        writer.WriteBoolean("zero_points", Row.ZeroPoints);
        writer.WriteEndObject();
    }

    /// <summary>A form out of the metadata.</summary>
    /// <param name="file">The file, for messages.</param>
    /// <param name="name">The weight's name.</param>
    /// <param name="json">What the metadata has under it.</param>
    /// <exception cref="BadInputException">A key is missing, or its value out of range or unknown.</exception>
    public static TileForm Read(string file, string name, JsonElement json)
    {
        if (json.ValueKind != JsonValueKind.Object) throw Bad("", "an object", json.ValueKind.ToString());
        var codes = Text("codes");
        var type = Array.FindIndex(Words, word => word.Word == codes);
        if (type < 0) throw Bad("codes", string.Join(", ", Words.Select(word => word.Word)), codes);
        DType? scales = Text("scales") switch
        {
            "none" => null,
            "BF16" => DType.BF16,
            "F32" => DType.F32,
            var other => throw Bad("scales", "none, BF16 or F32", other),
        };
        // A block may be larger than a small matrix.
        var (rows, columns) = (Number("rows", 1, SizeLimits.Vocabulary), Number("columns", 1, SizeLimits.Width));
        return new(Number("experts", 0, SizeLimits.Experts), rows, columns,
            new RowForm(Words[type].Type, Number("group", 1, SizeLimits.Width), Number("scale_rows", 1, SizeLimits.Vocabulary), scales,
                Flag("zero_points")),
            Number("bits", 1, 32));

        JsonElement Value(string key) => json.TryGetProperty(key, out var value) ? value : throw Bad(key, "a value", "none");

        string Text(string key) => Value(key) is { ValueKind: JsonValueKind.String } value ? value.GetString()! : throw Bad(key, "a text", "another");

        bool Flag(string key) => Value(key) is { ValueKind: JsonValueKind.True or JsonValueKind.False } value ? value.GetBoolean()
            : throw Bad(key, "true or false", Value(key).GetRawText());

        int Number(string key, int least, int most) =>
            Value(key) is { ValueKind: JsonValueKind.Number } value && value.TryGetInt32(out var number) && number >= least && number <= most ? number
                : throw Bad(key, string.Create(CultureInfo.InvariantCulture, $"{least} to {most}"), Value(key).GetRawText());

        BadInputException Bad(string key, string expected, string found) =>
            new(file, name, $"{PackedHeader.WeightsKey}: expected {expected}{(key.Length > 0 ? $" under {key}" : "")}, found {found}");
    }
}
