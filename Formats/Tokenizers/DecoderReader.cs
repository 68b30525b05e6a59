using System.Text.Json;

namespace Quilt.Formats.Tokenizers;

/// <summary>Reads "decoder": it is ByteLevel, whose options do not matter to the text.</summary>
internal static class DecoderReader
{
    public static void Require(JsonElement? component, string source)
    {
        if (component is not { } json) throw new BadInputException(source, "decoder", "null is not supported, only ByteLevel is");
        switch (json.Type(source, "decoder"))
        {
            case "ByteLevel": return;
            case "Sequence" when json.Items("decoders", source, "decoder").ToList() is [var only]:
                Require(only, source);
                return;
            case var type: throw new BadInputException(source, "decoder", $"{type} is not supported");
        }
    }
}
