namespace Quilt.Hosting.OpenAi.Responses;

/// <summary>A response that is kept.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Tenant">Whose it is; null where there are no keys.</param>
/// <param name="Answer">The answer, as JSON.</param>
/// <param name="Messages">The conversation with the reply, thinking included: a list of chat messages, as JSON.</param>
internal sealed record StoredResponse(string Id, string? Tenant, ReadOnlyMemory<byte> Answer, ReadOnlyMemory<byte> Messages)
{
    // The record itself, its id and its places in the store.
    private const int Own = 512;

    /// <summary>When it was kept, on the store's clock.</summary>
    public long At { get; init; }

    /// <summary>Bytes it takes.</summary>
    public long Bytes => Answer.Length + Messages.Length + Own;
}
