using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace Quilt.Hosting.Wire;

/// <summary>How answers are written: names in snake case, text as it is, since no answer is HTML.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(ErrorBody))]
[JsonSerializable(typeof(ChatCompletion))]
[JsonSerializable(typeof(TextCompletion))]
[JsonSerializable(typeof(ModelList))]
[JsonSerializable(typeof(ModelCard))]
[JsonSerializable(typeof(Tokenized))]
[JsonSerializable(typeof(Detokenized))]
[JsonSerializable(typeof(Rendered))]
[JsonSerializable(typeof(JsonArray))]
[JsonSerializable(typeof(Usage))]
[JsonSerializable(typeof(string))]
[JsonSerializable(typeof(VersionBody))]
[JsonSerializable(typeof(LoadBody))]
[JsonSerializable(typeof(TextLogprobs))]
[JsonSerializable(typeof(ChatLogprobs))]
[JsonSerializable(typeof(RequestTimes))]
[JsonSerializable(typeof(int))]
internal sealed partial class WireJson : JsonSerializerContext
{
    static WireJson() => Default = new WireJson(new JsonSerializerOptions
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    });
}
