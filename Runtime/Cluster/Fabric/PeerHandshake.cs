using System.Buffers;
using System.IO.Pipelines;
using System.Security.Cryptography;
using System.Text;

namespace Quilt.Cluster.Fabric;

/// <summary>
/// Two processes show each other that they know the cluster's key, without telling it: the first bytes of every connection between them. It keeps
/// strangers
/// out; what follows is neither encrypted nor sealed.
/// </summary>
/// <remarks>
/// The one that connects sends 8 bytes <c>QUILTPK1</c> and 32 random ones; the other 32 random ones and HMAC-SHA256(key, 's' + both); the first then
/// HMAC-SHA256(key, 'c' + both). The key is the SHA-256 of the text. Another answer than the right one ends the connection.
/// </remarks>
internal sealed class PeerHandshake(string key)
{
    private const int NonceBytes = 32, ProofBytes = 32;
    private static readonly byte[] Magic = [.. "QUILTPK1"u8];
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(10);
    private readonly byte[] secret = SHA256.HashData(Encoding.UTF8.GetBytes(key));

    /// <summary>The side that connects.</summary>
    /// <returns>Whether the other knows the key.</returns>
    /// <exception cref="OperationCanceledException">It took too long.</exception>
    public async Task<bool> CallAsync(IDuplexPipe pipe, CancellationToken cancel)
    {
        using var limit = LimitOf(cancel);
        var mine = RandomNumberGenerator.GetBytes(NonceBytes);
        await pipe.Output.WriteAsync((byte[])[.. Magic, .. mine], limit.Token);
        if (await ReadAsync(pipe.Input, NonceBytes + ProofBytes, limit.Token) is not { } answer) return false;
        var theirs = answer.AsSpan(0, NonceBytes).ToArray();
        if (!CryptographicOperations.FixedTimeEquals(answer.AsSpan(NonceBytes), Proof('s', mine, theirs))) return false;
        await pipe.Output.WriteAsync(Proof('c', mine, theirs), limit.Token);
        return true;
    }

    /// <summary>The side that is connected to.</summary>
    /// <inheritdoc cref="CallAsync"/>
    public async Task<bool> AnswerAsync(IDuplexPipe pipe, CancellationToken cancel)
    {
        using var limit = LimitOf(cancel);
        if (await ReadAsync(pipe.Input, Magic.Length + NonceBytes, limit.Token) is not { } call || !call.AsSpan(0, Magic.Length).SequenceEqual(Magic))
            return false;
        var theirs = call.AsSpan(Magic.Length).ToArray();
        var mine = RandomNumberGenerator.GetBytes(NonceBytes);
        await pipe.Output.WriteAsync((byte[])[.. mine, .. Proof('s', theirs, mine)], limit.Token);
        return await ReadAsync(pipe.Input, ProofBytes, limit.Token) is { } proof
            && CryptographicOperations.FixedTimeEquals(proof, Proof('c', theirs, mine));
    }

    // Exactly so many: what comes behind them is the connection's own. Null: it ended before.
    private static async Task<byte[]?> ReadAsync(PipeReader input, int count, CancellationToken cancel)
    {
        var read = await input.ReadAtLeastAsync(count, cancel);
        if (read.Buffer.Length < count)
        {
            input.AdvanceTo(read.Buffer.End);
            return null;
        }
        var part = read.Buffer.Slice(0, count);
        var bytes = part.ToArray();
        input.AdvanceTo(part.End);
        return bytes;
    }

    private byte[] Proof(char side, byte[] caller, byte[] called) => HMACSHA256.HashData(secret, (byte[])[(byte)side, .. caller, .. called]);

    private static CancellationTokenSource LimitOf(CancellationToken cancel)
    {
        var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        limit.CancelAfter(Limit);
        return limit;
    }
}
