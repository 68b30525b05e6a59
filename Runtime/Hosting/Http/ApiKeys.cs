using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;

namespace Quilt.Hosting.Http;

/// <summary>
/// A server's keys, as hashes. How long a search takes tells nothing of them: all are compared, each in constant time, whatever was found before.
/// </summary>
internal sealed class ApiKeys
{
    private const string Bearer = "Bearer ";
    private readonly byte[][] hashes;
    private readonly Caller[] callers;

    /// <summary>Takes the keys.</summary>
    /// <param name="keys">In clear; they are not kept.</param>
    public ApiKeys(IEnumerable<string> keys)
    {
        hashes = [.. keys.Distinct(StringComparer.Ordinal).Select(Hash)];
        // A tenant's name reaches the cache, reports and perhaps a log: from it nobody can tell the key, nor try keys against it. Caches do not
        // outlive the process, so neither does the secret.
        var secret = RandomNumberGenerator.GetBytes(32);
        callers = [.. hashes.Select(hash => new Caller($"key-{Convert.ToHexStringLower(HMACSHA256.HashData(secret, hash).AsSpan(0, 16))}"))];
    }

    /// <summary>Whether keys are asked for at all.</summary>
    public bool Any => hashes.Length > 0;

    /// <summary>Whose key a request brings; null: nobody's.</summary>
    public Caller? Find(HttpRequest request)
    {
        var authorization = request.Headers.Authorization.ToString();
        var bearer = authorization.StartsWith(Bearer, StringComparison.OrdinalIgnoreCase) ? Find(authorization[Bearer.Length..].Trim()) : null;
        // Anthropic's clients; some send both headers, of which one is meant for somebody else.
        var plain = request.Headers.TryGetValue("x-api-key", out var key) ? Find(key.ToString()) : null;
        return bearer ?? plain;
    }

    private Caller? Find(string given)
    {
        var hash = Hash(given);
        Caller? found = null;
        for (var i = 0; i < hashes.Length; i++) found = CryptographicOperations.FixedTimeEquals(hash, hashes[i]) ? callers[i] : found;
        return found;
    }

    private static byte[] Hash(string key) => SHA256.HashData(Encoding.UTF8.GetBytes(key));
}
