namespace Quilt.Hosting.Http;

/// <summary>What is told to the client that asked: a status, a type of vLLM's and a sentence. Holds nothing that only the host should know.</summary>
internal sealed class ApiException(int status, string type, string message, string? param = null) : Exception(message)
{
    /// <summary>The HTTP status.</summary>
    public int Status { get; } = status;

    /// <summary>The kind of error, by vLLM's name.</summary>
    public string Type { get; } = type;

    /// <summary>The field that is to blame; null where it is none, or several.</summary>
    public string? Param { get; } = param;

    /// <summary>Seconds after which it may be tried again; null where that would not help.</summary>
    public int? RetryAfter { get; init; }

    /// <summary>400: the request is not one that can be answered.</summary>
    public static ApiException Bad(string message, string? param = null) => new(400, "BadRequestError", message, param);

    /// <summary>404: there is no such thing.</summary>
    public static ApiException NotFound(string message, string? param = null) => new(404, "NotFoundError", message, param);

    /// <summary>501: this is not built.</summary>
    public static ApiException NotBuilt(string message, string? param = null) => new(501, "NotImplementedError", message, param);

    /// <summary>503: not now.</summary>
    public static ApiException Unavailable(string message, int retryAfter = 1) =>
        new(503, "ServiceUnavailableError", message) { RetryAfter = retryAfter };
}
