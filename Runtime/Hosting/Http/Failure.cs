using System.Text.Json;
using Quilt.Formats;
using Quilt.Formats.Chat.Jinja;
using Quilt.Runtime;

namespace Quilt.Hosting.Http;

/// <summary>From what went wrong to what a client is told: no paths, no addresses, no stacks.</summary>
internal static class Failure
{
    /// <summary>What is told of an exception.</summary>
    public static ApiException Of(Exception failure) => failure switch
    {
        ApiException known => known,
        JinjaException template => ApiException.Bad(Fields.Shown(template.Problem)),
        BadInputException prompt when prompt.Data[Engine.TooLongKey] is (int most, string found) =>
            ApiException.Bad($"This model's maximum context length is {most} tokens. However, your request " +
            $"has {found} input tokens. Please reduce the length of the input messages."),
        BadInputException input when IsOfFile(input) && !IsMissing(input) => ModelUnusable,
        BadInputException input => ApiException.Bad(Plain(input), ParamOf(input)),
        EngineBusyException => ApiException.Unavailable("The server is busy: as many requests wait as may."),
        EngineFailedException => new ApiException(503, "InternalServerError", "The engine has failed; the server takes no requests any more."),
        ReplicaLostException => new ApiException(503, "ReplicaLostError",
            "The replica that answered this request is gone; what it had not said is lost."),
        RequestFailedException => new ApiException(500, "InternalServerError", "The request failed while it was answered."),
        NotSupportedException unsupported => unsupported.Message.AsSpan().ContainsAny('/', '\\') ? ModelUnusable
            : ApiException.NotBuilt(Fields.Shown(unsupported.Message)),
        ArgumentException argument => ApiException.Bad(Fields.Shown(Sentence(argument))),
        // What is put together of a body that was read without complaint can be deeper than it.
        JsonException => ApiException.Bad("The request holds JSON that is nested too deeply."),
        ObjectDisposedException => ApiException.Unavailable("The server is shutting down."),
        OperationCanceledException => new ApiException(499, "ClientClosedRequest", "The request was cancelled."),
        _ => new ApiException(500, "InternalServerError", "Internal server error."),
    };

    private static ApiException ModelUnusable => new(500, "InternalServerError", "The model cannot be used; the server knows why.");

    // Where the complaint is about a file of the model's, the client hears of the part in it alone: its path is the host's own affair.
    private static string Plain(BadInputException input) =>
        Fields.Shown(IsOfFile(input) ? input.Message[input.Origin.Length..].TrimStart(':', ' ') : input.Message);

    private static bool IsOfFile(BadInputException input) => Path.IsPathFullyQualified(input.Origin);

    private static bool IsMissing(BadInputException input) => input.Part is "chat_template.jinja" or "tokenizer.json";

    private static string? ParamOf(BadInputException input) => input.Origin switch
    {
        "tools" or "messages" => input.Origin,
        _ => null,
    };

    private static string Sentence(ArgumentException argument)
    {
        var end = argument.Message.IndexOf(" (Parameter '", StringComparison.Ordinal);
        return end < 0 ? argument.Message : argument.Message[..end];
    }
}
