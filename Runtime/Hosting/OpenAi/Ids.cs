using System.Security.Cryptography;
using Quilt.Hosting.Http;

namespace Quilt.Hosting.OpenAi;

/// <summary>Ids of answers and calls, which nobody can guess.</summary>
internal static class Ids
{
    private const int MostCharacters = 128;

    /// <summary>What a request calls itself, or 32 hexadecimal digits.</summary>
    /// <exception cref="ApiException">Its own name is not printable, or too long.</exception>
    public static string Request(Fields body)
    {
        if (body.Text("request_id") is not { } own) return New(16);
        return own.Length is > 0 and <= MostCharacters && own.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.' or ':')
            ? own
            : throw ApiException.Bad($"request_id: expected 1 to {MostCharacters} letters, digits and -_.: in ASCII.", "request_id");
    }

    /// <summary>A call's id.</summary>
    public static string Call() => $"call_{New(12)}";

    /// <summary>So many random bytes in hexadecimal.</summary>
    public static string New(int bytes) => Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(bytes));
}
