namespace Quilt.Cli.Bench.Serve;

/// <summary>Which of OpenAI's endpoints is asked.</summary>
internal enum LoadEndpoint
{
    /// <summary><c>/v1/chat/completions</c>: messages, through the server's chat template.</summary>
    Chat,

    /// <summary><c>/v1/completions</c>: the prompt as it is.</summary>
    Completions,
}

/// <summary>The load.</summary>
/// <param name="Requests">Requests to send, all turns of all conversations together.</param>
/// <param name="Streams">Closed loop: conversations at a time; used where <paramref name="Rate"/> is null.</param>
/// <param name="Rate">Open loop: requests a second, Poisson; null: closed loop.</param>
/// <param name="Seed">Of arrivals and prompts.</param>
/// <param name="Prompt">Tokens of a first turn's prompt, with what the chat template adds.</param>
/// <param name="Reply">Tokens of a reply.</param>
/// <param name="SharedPrefix">Tokens of text that all prompts begin with.</param>
/// <param name="Turns">Requests of a conversation.</param>
/// <param name="Endpoint">Which endpoint.</param>
internal sealed record LoadOptions(int Requests, int Streams, double? Rate, int Seed, int Prompt, int Reply, int SharedPrefix, int Turns,
    LoadEndpoint Endpoint)
{
    /// <summary>Conversations; the last one may be shorter.</summary>
    public int Conversations => (Requests + Turns - 1) / Turns;
}
