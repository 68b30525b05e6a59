using System.Text.Json;
using Quilt.Formats.Checkpoints.Storage;

namespace Quilt.Formats.Checkpoints;

/// <summary>Reads quantization_config: the official fp8 form and compressed-tensors. Other methods and formats are refused by name.</summary>
internal static class QuantConfigReader
{
    public static QuantConfig Read(ModelConfig config, WarningList warnings)
    {
        if (config.Quantization is not { } json) return QuantConfig.None;
        return json.Text("quant_method") switch
        {
            "fp8" => ReadFp8(json, warnings),
            "compressed-tensors" => ReadCompressedTensors(json, warnings),
            null when json.Find("config_groups") is not null => ReadCompressedTensors(json, warnings),
            null => throw json.Bad("quant_method", "is missing; expected \"fp8\" or \"compressed-tensors\""),
            var other => throw json.Bad("quant_method", $"expected \"fp8\" or \"compressed-tensors\", the kinds supported, found \"{other}\""),
        };
    }

    private static QuantConfig ReadFp8(ConfigJson json, WarningList warnings)
    {
        if (json.Text("fmt") is { } format && format is not ("float8_e4m3fn" or "e4m3"))
            throw json.Bad("fmt", $"expected \"float8_e4m3fn\", the only kind supported, found \"{format}\"");
        if (json.Text("activation_scheme") is { } scheme && scheme is not ("dynamic" or "static"))
            warnings.Add(json.Source, $"quantization_config.activation_scheme is \"{scheme}\"; activations are not quantized here");
        return new QuantConfig(null, Block(json, "weight_block_size") ?? (128, 128));
    }

    private static QuantConfig ReadCompressedTensors(ConfigJson json, WarningList warnings)
    {
        var format = json.Text("format");
        if (format is not (null or "mixed-precision")) Supported(json, "format", format);
        if (json.Find("kv_cache_scheme") is not null)
        {
            warnings.Add(json.Source,
                "quantization_config.kv_cache_scheme does not choose: keys and values are kept as the engine is told, in fp8 by its scales");
        }
        if (json.Object("sparsity_config") is { } sparsity && sparsity.Text("format") is { } sparse && sparse != "dense")
            throw sparsity.Bad("format", $"expected \"dense\", the only kind supported, found \"{sparse}\"");
        if (json.Object("transform_config") is { } transform
            && transform.Element.EnumerateObject()
            .Any(p => p.Value.ValueKind is not (JsonValueKind.Null or JsonValueKind.Object)
            || p.Value.ValueKind == JsonValueKind.Object && p.Value.EnumerateObject().Any()))
            throw json.Bad("transform_config", "transforms of weights are not supported");

        var targets = new Dictionary<string, QuantArgs?>(StringComparer.Ordinal);
        if (json.Object("config_groups") is { } groups)
        {
            foreach (var group in groups.Element.EnumerateObject())
            {
                var (args, names) = group.Value.ValueKind == JsonValueKind.Array
                    ? (Preset(groups, group.Name), groups.Texts(group.Name))
                    : ReadScheme(groups.Object(group.Name)
                        ?? throw groups.Bad(group.Name, "expected a scheme, found null"), group.Name, format, warnings);
                foreach (var name in names) targets[name] = args;
            }
        }
        return new QuantConfig(new QuantTargets(json.Source, json.Texts("ignore"), targets), null);
    }

    private static (QuantArgs? Args, IReadOnlyList<string> Targets) ReadScheme(ConfigJson scheme, string group, string? format, WarningList warnings)
    {
        if (scheme.Text("format") is { } own)
        {
            if (own == "mixed-precision") throw scheme.Bad("format", "expected the format of this group, found \"mixed-precision\"");
            Supported(scheme, "format", own);
        }
        else if (format == "mixed-precision")
        {
            warnings.Add(scheme.Source, $"quantization_config.config_groups.{group} names no format, though the config is of mixed precision");
        }
        var targets = scheme.Texts("targets");
        return (scheme.Object("weights") is { } weights ? ReadArgs(weights, group, warnings) : null, targets);
    }

    private static QuantArgs ReadArgs(ConfigJson args, string group, WarningList warnings)
    {
        var bits = (int)(args.Whole("num_bits", 1, 16) ?? 8);
        var type = args.Text("type") ?? "int";
        if (type is not ("int" or "float")) throw args.Bad("type", $"expected \"int\" or \"float\", found \"{type}\"");
        if (type == "float" && bits != 8) throw args.Bad("num_bits", $"expected 8 for float codes, the only kind supported, found {bits}");
        if (type == "int" && bits > 8) throw args.Bad("num_bits", $"expected 1 to 8 for integer codes, found {bits}");
        if (args.Find("dynamic") is { } dynamic && dynamic.ValueKind != JsonValueKind.False)
            throw args.Bad("dynamic", $"expected false for weights, found {ConfigJson.Short(dynamic)}");
        foreach (var property in args.Element.EnumerateObject())
        {
            if (!Known.Contains(property.Name)) warnings.Add(args.Source, $"{args.Path(property.Name)} is not known and is ignored");
        }

        var groupSize = (int?)args.Whole("group_size", -1, int.MaxValue);
        if (groupSize == 0) throw args.Bad("group_size", "expected a positive number, or -1 for one scale a row, found 0");
        var block = Block(args, "block_structure");
        var strategy = args.Text("strategy") ?? (groupSize switch { null => block is null ? "tensor" : "block", -1 => "channel", _ => "group" });
        switch (strategy)
        {
            case "group" or "tensor_group" when groupSize is not > 0: throw args.Bad("group_size",
                $"expected a positive number for the strategy \"{strategy}\"");
            case "block" when block is null: throw args.Bad("block_structure", "expected [rows, columns] for the strategy \"block\"");
            case "tensor" or "channel" or "group" or "block": break;
            default: throw args.Bad("strategy", $"expected tensor, channel, group or block, the kinds supported, found \"{strategy}\"");
        }
        return new QuantArgs(group, bits, type == "float", args.Flag("symmetric")
            ?? true, strategy, strategy == "group" ? groupSize : null, strategy == "block" ? block : null);
    }

    private static readonly HashSet<string> Known = new(StringComparer.Ordinal)
    {
        "num_bits", "type", "symmetric", "strategy", "group_size", "block_structure", "dynamic", "actorder", "scale_dtype", "zp_dtype", "observer",
        "observer_kwargs",
    };

    // The library's presets that store weights in a form that loads here.
    private static QuantArgs? Preset(ConfigJson groups, string name) => name switch
    {
        "UNQUANTIZED" => null,
        "W4A16" => new QuantArgs(name, 4, false, true, "group", 128, null),
        "W4A16_ASYM" => new QuantArgs(name, 4, false, false, "group", 128, null),
        "W8A16" => new QuantArgs(name, 8, false, true, "channel", null, null),
        "FP8" => new QuantArgs(name, 8, true, true, "tensor", null, null),
        "FP8_DYNAMIC" => new QuantArgs(name, 8, true, true, "channel", null, null),
        "FP8_BLOCK" => new QuantArgs(name, 8, true, true, "block", null, (128, 128)),
        _ => throw groups.Bad(name, "expected a scheme, or one of the presets W4A16, W4A16_ASYM, W8A16, FP8, FP8_DYNAMIC, FP8_BLOCK, UNQUANTIZED"),
    };

    private static void Supported(ConfigJson json, string key, string format)
    {
        if (!StorageReaders.FormatNames.Contains(format))
            throw json.Bad(key, $"expected one of {string.Join(", ", StorageReaders.FormatNames)}, the formats supported, found \"{format}\"");
    }

    private static (int Rows, int Columns)? Block(ConfigJson json, string key)
    {
        if (json.Find(key) is not { } value) return null;
        // [128, 128], or "128x128".
        var parts = value.ValueKind == JsonValueKind.String ? json.Text(key)!.Split('x')
            : value.ValueKind == JsonValueKind.Array ? [.. value.EnumerateArray().Select(item => item.GetRawText())]
            : [];
        if (parts.Length == 2 && int.TryParse(parts[0], out var rows) && int.TryParse(parts[1], out var columns) && rows > 0 && columns > 0)
            return (rows, columns);
        throw json.Bad(key, $"expected [rows, columns], found {ConfigJson.Short(value)}");
    }
}
