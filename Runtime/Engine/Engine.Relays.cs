using Quilt.Runtime.Kv;

namespace Quilt.Runtime;

/// <summary>What an engine does for requests that another one answers.</summary>
public sealed partial class Engine
{
    /// <summary>
    /// Checks and lays out a request as <see cref="Submit(GenerationRequest, CancellationToken)"/> does, but leaves its tokens to be chosen
    /// elsewhere.
    /// </summary>
    /// <param name="request">The request.</param>
    /// <param name="cancel">Cancels its generations.</param>
    /// <returns>A reply for each choice, in order.</returns>
    /// <inheritdoc cref="Chat" path="/exception"/>
    internal RelayedReply[] Relay(GenerationRequest request, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(request);
        ObjectDisposedException.ThrowIf(core.IsClosed, this);
        request.Validate(vocabulary);
        var prompt = PromptOf(request);
        var gone = new CancellationTokenSource[request.Choices];
        var begun = TermsOf(prompt, request, i =>
        {
            var own = gone[i] = new CancellationTokenSource();
            return own.Cancel;
        }, cancel);
        return [.. begun.Select((one, i) => new RelayedReply(one.Generation, one.Terms, new LaidOutPrompt(prompt.Ids, prompt.Text), gone[i].Token))];
    }

    /// <summary>Lays out a request's prompt.</summary>
    /// <inheritdoc cref="Chat" path="/exception"/>
    internal LaidOutPrompt LayOut(GenerationRequest request)
    {
        request.Validate(vocabulary);
        var prompt = PromptOf(request);
        return new LaidOutPrompt(prompt.Ids, prompt.Text);
    }

    /// <summary>The hashes of a prompt's full blocks, but for the one that its last token is in, as the prefix cache knows them.</summary>
    internal BlockHash[] HashesOf(ReadOnlySpan<int> prompt, string[] cacheKeys)
    {
        var blockTokens = core.Blocks.BlockTokens;
        var hashes = new BlockHash[Math.Max(0, (prompt.Length - 1) / blockTokens)];
        for (var i = 0; i < hashes.Length; i++)
        {
            var parent = i == 0 ? BlockHasher.DefaultRoot : hashes[i - 1];
            hashes[i] = BlockHasher.Next(parent, prompt.Slice(i * blockTokens, blockTokens), i == 0 ? cacheKeys : []);
        }
        return hashes;
    }
}
