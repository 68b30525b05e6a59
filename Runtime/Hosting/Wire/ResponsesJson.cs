using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Quilt.Hosting.Wire;

/// <summary>How answers of the Responses API are written.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(ResponseBody))]
[JsonSerializable(typeof(ResponseItem))]
[JsonSerializable(typeof(ReasoningText))]
[JsonSerializable(typeof(OutputText))]
[JsonSerializable(typeof(ChatToken))]
[JsonSerializable(typeof(DeletedResponse))]
internal sealed partial class ResponsesJson : JsonSerializerContext
{
    static ResponsesJson() => Default = new ResponsesJson(new JsonSerializerOptions
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    });
}
