using Quilt.Formats.Chat;
using Quilt.Formats.Chat.Replies;
using Quilt.Kernels.Devices;
using Quilt.Runtime.Kv;
using Quilt.Runtime.Models;
using Quilt.Runtime.Sampling;
using Quilt.Runtime.Scheduling;

namespace Quilt.Runtime.Execution;

/// <summary>
/// Runs a model's code once before its first request, so that no request waits for it to be compiled: a prompt, one and several sequences that go on,
/// the choice of tokens, the template and the tokenizer. It has a cache and a scratch memory of its own, which it gives back: nothing that it
/// computes is seen by anyone.
/// </summary>
internal static class WarmUp
{
    /// <summary>Tokens of its prompts: more than a kernel takes at a time.</summary>
    private const int PromptTokens = 18;

    /// <summary>Steps after the prompts, of one token for each sequence.</summary>
    private const int Steps = 3;

    private static SamplingOptions Greedy => new() { Temperature = 0 };

    /// <summary>Runs it; nothing on a GPU, whose kernels depend on more than the model.</summary>
    /// <param name="model">The model, loaded.</param>
    /// <param name="options">What the engine will run with.</param>
    /// <param name="cancel">Stops it between two steps.</param>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public static void Run(LoadedModel model, EngineOptions options, CancellationToken cancel)
    {
        if (model.Device is not CpuDevice) return;
        var language = Task.Run(() => Speak(model), CancellationToken.None);
        Compute(model, options, cancel);
        language.Wait(cancel);
    }

    // The same way as the engine's own steps, one sequence first and then three.
    private static void Compute(LoadedModel model, EngineOptions options, CancellationToken cancel)
    {
        var layout = model.Memory.Layout;
        var tokens = Math.Min(Math.Min(PromptTokens, options.BatchedTokens / 3), model.Memory.ContextTokens - Steps);
        if (tokens < 1) return;
        var blocks = (tokens + Steps + layout.BlockTokens - 1) / layout.BlockTokens;
        using var executor = model.NewExecutor(layout with { Blocks = 3 * blocks }, options.Activations);
        Sequence[] sequences = [NewSequence(model.DefaultSampling), NewSequence(Greedy), NewSequence(Greedy)];
        var pool = new KvBlockPool(3 * blocks);
        foreach (var sequence in sequences) pool.TryAllocate(blocks, sequence.BlockTable);

        var plan = new StepPlan();
        foreach (var some in new[] { sequences[..1], sequences[1..] }) Step(some, tokens);
        for (var i = 0; i < Steps; i++)
        {
            cancel.ThrowIfCancellationRequested();
            Step(i == 0 ? sequences : sequences[..1], 1);
        }

        void Step(Sequence[] some, int count)
        {
            plan.TryReset();
            foreach (var sequence in some) plan.Add(sequence, count, layout.BlockTokens, LogitsOf.LastToken);
            executor.Run(plan);
            executor.Choose(plan);
            foreach (var sequence in some)
            {
                sequence.Computed += count;
                sequence.Tokens.Add(0);
            }
        }

        Sequence NewSequence(SamplingOptions sampling)
        {
            var prompt = new int[tokens];
            var sequence = new Sequence(request: null, new SamplerState(sampling, prompt));
            sequence.Begin(prompt);
            return sequence;
        }
    }

    // A question on its way to the engine, and the first token of a reply on its way back.
    private static void Speak(LoadedModel model)
    {
        try
        {
            if (model.Tokenizer is not { } tokenizer) return;
            var conversation = new Conversation().Add("user", "Is 1 a number?");
            var text = model.Template?.Render(conversation) ?? "a";
            var ids = tokenizer.Encode(text);
            var parser = model.Template is null ? null : model.CreateReplyParser(conversation, text, null);
            var reply = new ReplyDecoder(tokenizer, parser, parser is null ? null : model.Markers, Greedy) { ThinkingEnd = model.ThinkingEnd };
            var parts = new List<ReplyEvent>();
            if (ids.Length > 0) reply.Push(ids[^1], mayStop: true, parts);
            reply.Finish(parts);
        }
#pragma warning disable CA1031 // A template may want more of a conversation than this one has; a request that meets what fails here is told.
        catch (Exception)
#pragma warning restore CA1031
        {
            return;
        }
    }
}
