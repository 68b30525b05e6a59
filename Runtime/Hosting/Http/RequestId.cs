using Microsoft.AspNetCore.Http;

namespace Quilt.Hosting.Http;

/// <summary>The header by which a client knows its answers.</summary>
internal static class RequestId
{
    /// <summary>Its name.</summary>
    public const string Header = "X-Request-Id";

    private const int MostCharacters = 128;

    /// <summary>What the client gave, if it can stand in a header of ours; null: nothing, or something odd.</summary>
    public static string? Given(HttpContext http)
    {
        var own = http.Request.Headers[Header].ToString();
        return own.Length is > 0 and <= MostCharacters && own.All(c => c is > ' ' and < '\x7f') ? own : null;
    }
}
