using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.Options;
using Quilt.Hosting.Http;

namespace Quilt.Hosting.OpenAi.Responses;

/// <summary>
/// Responses in memory, for who made them. There are bounds to their number, their bytes and their age; the oldest go first. Any thread.
/// </summary>
internal sealed class ResponseStore(IOptions<QuiltServerOptions> options, TimeProvider time)
{
    private readonly Lock gate = new();
    private readonly QuiltServerOptions options = options.Value;
    private readonly LinkedList<StoredResponse> byAge = [];
    private readonly Dictionary<string, LinkedListNode<StoredResponse>> byId = new(StringComparer.Ordinal);
    private long bytes;

    /// <summary>How many there are.</summary>
    public int Count
    {
        get
        {
            lock (gate) return byId.Count;
        }
    }

    /// <summary>Bytes they take.</summary>
    public long Bytes
    {
        get
        {
            lock (gate) return bytes;
        }
    }

    /// <summary>Keeps one; others go for it. One that has no room at all is not kept.</summary>
    public void Add(StoredResponse response)
    {
        lock (gate)
        {
            DropOld();
            if (response.Bytes > options.MaxStoredBytes || options.MaxStoredResponses < 1) return;
            while (byId.Count >= options.MaxStoredResponses || bytes + response.Bytes > options.MaxStoredBytes) Drop(byAge.First!);
            byId.Add(response.Id, byAge.AddLast(response with { At = time.GetTimestamp() }));
            bytes += response.Bytes;
        }
    }

    /// <summary>One by its id; null where there is none, or it is another tenant's.</summary>
    public StoredResponse? Find(string id, string? tenant)
    {
        lock (gate)
        {
            DropOld();
            return TryFind(id, tenant, out var node) ? node.Value : null;
        }
    }

    /// <summary>Forgets one.</summary>
    /// <returns>Whether it was there.</returns>
    public bool Remove(string id, string? tenant)
    {
        lock (gate)
        {
            DropOld();
            if (!TryFind(id, tenant, out var node)) return false;
            Drop(node);
            return true;
        }
    }

    /// <summary>What is said where there is none.</summary>
    public static ApiException NotFound(string id, string param) => ApiException.NotFound($"Response with id '{Fields.Shown(id)}' not found.", param);

    private bool TryFind(string id, string? tenant, [NotNullWhen(true)] out LinkedListNode<StoredResponse>? node) =>
        byId.TryGetValue(id, out node) && node.Value.Tenant == tenant;

    private void DropOld()
    {
        var now = time.GetTimestamp();
        while (byAge.First is { } oldest && time.GetElapsedTime(oldest.Value.At, now) >= options.StoredResponseTime) Drop(oldest);
    }

    private void Drop(LinkedListNode<StoredResponse> node)
    {
        byAge.Remove(node);
        byId.Remove(node.Value.Id);
        bytes -= node.Value.Bytes;
    }
}
