using System.Text.Json;

namespace Quilt.Formats.Tokenizers;

/// <summary>Reads "normalizer".</summary>
internal static class NormalizerReader
{
    public static Normalizer? Read(JsonElement? component, string source)
    {
        if (component is not { } json) return null;
        switch (json.Type(source, "normalizer"))
        {
            case "NFC": return new ComposingNormalizer();
            case "Sequence":
                List<Normalizer> steps = [];
                foreach (var item in json.Items("normalizers", source, "normalizer"))
                    if (Read(item, source) is { } step) steps.Add(step);
                return steps.Count == 0 ? null : new NormalizerSequence(steps);
            case var type: throw new BadInputException(source, "normalizer", $"{type} is not supported");
        }
    }
}
