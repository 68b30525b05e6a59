using Microsoft.Extensions.ObjectPool;
using Quilt.Formats;
using Quilt.Formats.Chat;
using Quilt.Formats.Chat.Replies;
using Quilt.Formats.Checkpoints;
using Quilt.Formats.Tokenizers;
using Quilt.Kernels.Devices;
using Quilt.Kernels.Ops;
using Quilt.Runtime.Kv;
using Quilt.Runtime.Models;
using Quilt.Runtime.Sampling;
using Quilt.Runtime.Scheduling;

namespace Quilt.Runtime;

/// <summary>
/// A model, loaded and ready to answer. Any number of threads may submit requests; they run together, several sequences in one step, on one thread of
/// the engine's own.
/// </summary>
/// <example><code>
/// await using var engine = await Engine.OpenAsync("/models/tiny");
/// await foreach (var piece in engine.Generate("Once upon a time", new() { MaxTokens = 64 })) Console.Write(piece.Text);
/// </code></example>
public sealed class Engine : IAsyncDisposable, IDisposable
{
    private const long DefaultCache = 2L << 30;

    private readonly LoadedModel model;
    private readonly KvStore kv;
    private readonly KvBlockPool blocks;
    private readonly Scheduler scheduler;
    private readonly OpStream ops;
    private readonly EngineLoop loop;
    private readonly Sampler sampler = new();
    private readonly DeviceChoice? choice;
    private readonly IReadOnlyList<string> warnings;
    private readonly List<Request> live = [];
    private readonly List<Request> ended = [];
    private readonly ObjectPool<Request> requests = new DefaultObjectPoolProvider().Create<Request>();
    private volatile Exception? failure;
    private volatile bool closed;

    internal Engine(LoadedModel model, EngineOptions options)
    {
        this.model = model;
        blocks = new KvBlockPool(BlocksFor(model, options));
        kv = new KvStore(model.Decoder.Spec, blocks.Blocks, options.BlockTokens, options.CacheType, model.Device);
        scheduler = new Scheduler(blocks, options.BlockTokens, options.StepTokens, options.MaxSequences);
        ops = new OpStream(model.Device, options.Activations);
        if (model.Memory is { } memory) ops.Gpu!.Scratch.Reserve(memory.Scratch);
        if (ops.Gpu is not null) choice = new DeviceChoice(model.Decoder.Spec.VocabularySize);
        loop = new EngineLoop(Step, Fail);
        Options = options;
        warnings = model.Device is GpuDevice gpu && GpuRecordings.WhyNot(gpu) is { } why
            ? [.. model.Warnings, $"{gpu.Name}: steps are not recorded, which is slower: {why}"]
            : model.Warnings;
        loop.Start();
    }

    /// <summary>What it was opened with.</summary>
    public EngineOptions Options { get; }

    /// <summary>The checkpoint's config.json.</summary>
    public ModelConfig Config => model.Config;

    /// <summary>The tokenizer; null where the folder has none.</summary>
    public Tokenizer? Tokenizer => model.Tokenizer;

    /// <summary>The chat template; null where the folder has none.</summary>
    public ChatTemplate? Template => model.Template;

    /// <summary>
    /// How the model replies in a conversation, one of <see cref="ReplyParser.Dialects"/>: the one asked for, or what the chat template tells; null
    /// without either.
    /// </summary>
    public string? ReplyDialect => model.Dialect;

    /// <summary>The sampling options that the checkpoint's generation_config.json asks for.</summary>
    public SamplingOptions DefaultSampling => model.DefaultSampling;

    /// <summary>
    /// What looked wrong in the checkpoint but did not keep it from loading, and what makes the device slower than it should be; that may turn out
    /// later, and then comes last.
    /// </summary>
    public IReadOnlyList<string> Warnings =>
        ops.Gpu?.Recordings?.Failure is { } why
            ? [.. warnings, $"{model.Device.Name}: steps are no longer recorded, which is slower: {why}"]
            : warnings;

    /// <summary>
    /// Most tokens that prompt and reply of one request may have together: what the model was made for, or what the cache holds if that is less.
    /// </summary>
    public int MaxTokens => Math.Min(Config.MaxPositions, scheduler.Capacity);

    /// <summary>Bytes of the weights as held in memory.</summary>
    public long WeightBytes => model.Decoder.Weights.Bytes;

    /// <summary>What runs and what waits; read it while nothing runs.</summary>
    internal Scheduler Scheduler => scheduler;

    /// <summary>The cache's blocks; read it while nothing runs.</summary>
    internal KvBlockPool Blocks => blocks;

    /// <summary>Loads a checkpoint folder (config.json, *.safetensors; tokenizer.json and a chat template where there are any).</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="options">How to run; null: the defaults.</param>
    /// <param name="progress">Hears how far loading has come, on a thread of the engine's.</param>
    /// <param name="cancel">Stops loading; nothing stays allocated.</param>
    /// <exception cref="BadInputException">The folder is not a checkpoint that can be run exactly; the message names file, tensor or key.</exception>
    /// <exception cref="ArgumentException">An option is out of its range.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public static Task<Engine> OpenAsync(string folder, EngineOptions? options = null, IProgress<LoadProgress>? progress = null,
        CancellationToken cancel = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        options ??= new EngineOptions();
        options.Validate();
        return Task.Factory.StartNew(
            () =>
                Create(LoadedModel.Open(folder, options, progress, cancel), options), cancel, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }

    /// <summary>Continues a text as it stands, with no template.</summary>
    /// <param name="prompt">The text; special tokens written in it count as such.</param>
    /// <param name="options">How tokens are chosen and when to stop; null: <see cref="DefaultSampling"/>.</param>
    /// <param name="cancel">Ends the request; its enumeration then ends without an exception.</param>
    /// <exception cref="BadInputException">The folder has no tokenizer, or the prompt is empty or too long.</exception>
    /// <exception cref="ArgumentException">An option is out of its range.</exception>
    public Generation Generate(string prompt, SamplingOptions? options = null, CancellationToken cancel = default) =>
        Submit(NeedTokenizer().Encode(prompt, addSpecialTokens: true), options, replies: null, cancel);

    /// <summary>Continues token ids. Works without a tokenizer; the pieces then have no text.</summary>
    /// <inheritdoc cref="Generate(string, SamplingOptions?, CancellationToken)"/>
    public Generation Generate(IReadOnlyList<int> prompt, SamplingOptions? options = null, CancellationToken cancel = default) =>
        Submit(prompt, options, replies: null, cancel);

    /// <summary>
    /// Answers a conversation, laid out by the checkpoint's chat template. <see cref="Generation.Replies"/> gives thinking, text and tool calls
    /// apart; the tokens' own text holds the dialect's markers.
    /// </summary>
    /// <param name="conversation">Messages, tools and template variables.</param>
    /// <param name="options">How tokens are chosen and when to stop; null: <see cref="DefaultSampling"/>.</param>
    /// <param name="cancel">Ends the request; its enumeration then ends without an exception.</param>
    /// <exception cref="BadInputException">The folder has no tokenizer or no template, the template refuses the conversation, or the prompt is too
    /// long.</exception>
    /// <exception cref="ArgumentException">An option is out of its range.</exception>
    public Generation Chat(Conversation conversation, SamplingOptions? options = null, CancellationToken cancel = default)
    {
        var template = Template ?? throw new BadInputException(model.Folder, "chat_template.jinja", "expected a chat template, found none");
        var prompt = template.Render(conversation);
        return Submit(NeedTokenizer().Encode(prompt), options, () => model.CreateReplyParser(conversation, prompt), cancel);
    }

    /// <summary>
    /// Runs one prompt on its own and returns the numbers inside: logits after every token and, if asked for, each layer's output and routing.
    /// </summary>
    /// <param name="tokens">The prompt's token ids.</param>
    /// <param name="layers">Whether to keep the layers' numbers too.</param>
    /// <exception cref="BadInputException">A token is outside the vocabulary, or the prompt is empty or longer than the cache.</exception>
    public Task<StepTrace> TraceAsync(IReadOnlyList<int> tokens, bool layers = false)
    {
        CheckPrompt(tokens);
        var result = new TaskCompletionSource<StepTrace>(TaskCreationOptions.RunContinuationsAsynchronously);
        Post(() =>
        {
            try
            {
                result.SetResult(PromptTracer.Run(model.Decoder, tokens, layers, Options, kv.Type, model.Device, ops));
            }
#pragma warning disable CA1031 // The caller waits for this task, whatever happened.
            catch (Exception thrown)
#pragma warning restore CA1031
            {
                result.SetException(thrown);
            }
        });
        return result.Task;
    }

    /// <summary>Ends all requests, frees weights and cache, and stops the engine's threads.</summary>
    public void Dispose()
    {
        if (closed) return;
        closed = true;
        loop.Dispose();
        foreach (var request in live) request.Finish(FinishReason.Cancelled);
        live.Clear();
        ops.Dispose();
        kv.Dispose();
        model.Dispose();
    }

    /// <inheritdoc cref="Dispose"/>
    public ValueTask DisposeAsync()
    {
        Dispose();
        return ValueTask.CompletedTask;
    }

    /// <summary>The whole loop body. False if there is nothing to do.</summary>
    private bool Step()
    {
        DropCancelled();
        if (!scheduler.TryPlan(out var plan)) return false;
        ops.Reset();
        var inputs = new StepInputs(plan, ops);
        Announce(plan);
        var logits = model.Decoder.Forward(plan, inputs, kv, ops);
        choice?.Run(ops, logits);
        Commit(plan, logits);
        return true;
    }

    /// <summary>Tells a GPU which requests will choose from the step's logits, row by row.</summary>
    private void Announce(StepPlan plan)
    {
        if (choice is null) return;
        choice.Begin();
        foreach (var chunk in plan.Chunks)
        {
            if (chunk.LogitRow >= 0) chunk.Sequence.Request!.AddTo(choice);
        }
        choice.Place(ops);
    }

    /// <summary>Samples the next token of every sequence that has its logits; ends those that are done.</summary>
    private void Commit(StepPlan plan, Matrix logits)
    {
        foreach (var chunk in plan.Chunks)
        {
            if (chunk.LogitRow < 0) continue;
            var request = chunk.Sequence.Request!;
            request.Accept(choice is null ? request.Sample(sampler, logits.Row(chunk.LogitRow)) : request.Sample(choice, ops, chunk.LogitRow));
        }
        foreach (var chunk in plan.Chunks)
        {
            if (chunk.Sequence.Request is { Finished: not null } done) ended.Add(done);
        }
        scheduler.Return(plan);
        foreach (var request in ended) End(request, request.Finished!.Value);
        ended.Clear();
    }

    private void DropCancelled()
    {
        for (var i = live.Count - 1; i >= 0; i--)
        {
            if (live[i].Generation.IsCancelled) End(live[i], FinishReason.Cancelled);
        }
    }

    private void End(Request request, FinishReason reason)
    {
        scheduler.Remove(request.Sequence);
        live.Remove(request);
        request.Finish(reason);
        requests.Return(request);
    }

    private Generation Submit(IReadOnlyList<int> prompt, SamplingOptions? options, Func<ReplyParser>? replies, CancellationToken cancel)
    {
        CheckPrompt(prompt);
        options ??= DefaultSampling;
        options.Validate();
        var generation = new Generation(prompt, replies, Wake, cancel);
        var request = requests.Get();
        request.Begin(generation, prompt, options, model.EndTokens, model.Tokenizer, MaxTokens, replies is null ? null : model.Markers);
        Post(() =>
        {
            if (failure is { } cause)
            {
                generation.Fail(new EngineFailedException(cause));
                return;
            }
            live.Add(request);
            scheduler.Submit(request.Sequence);
        });
        return generation;
    }

    private void CheckPrompt(IReadOnlyList<int> prompt)
    {
        if (prompt.Count == 0) throw new BadInputException("prompt", null, "expected at least one token, found none");
        if (prompt.Count >= MaxTokens) throw new BadInputException("prompt", null, $"expected fewer than {MaxTokens} tokens, found {prompt.Count}");
        foreach (var id in prompt)
        {
            if ((uint)id >= (uint)Config.VocabularySize)
            {
                throw new BadInputException("prompt", null, $"expected token ids from 0 to {Config.VocabularySize - 1}, found {id}");
            }
        }
    }

    private Tokenizer NeedTokenizer() => Tokenizer ?? throw new BadInputException(model.Folder, "tokenizer.json", "expected a tokenizer, found none");

    private void Wake() => loop.TryPost(static () => { });

    private void Post(Action action)
    {
        ObjectDisposedException.ThrowIf(closed, this);
        if (failure is { } cause) throw new EngineFailedException(cause);
        ObjectDisposedException.ThrowIf(!loop.TryPost(action), this);
    }

    private void Fail(Exception cause)
    {
        failure = cause;
        foreach (var request in live) request.Generation.Fail(new EngineFailedException(cause));
        live.Clear();
    }

    private static Engine Create(LoadedModel model, EngineOptions options)
    {
        try
        {
            return new Engine(model, options);
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }

    private static int BlocksFor(LoadedModel model, EngineOptions options)
    {
        var spec = model.Decoder.Spec;
        // A cache larger than all sequences could ever fill would only reserve address space.
        var useful = (long)options.MaxSequences * ((spec.Attention.MaxPositions + options.BlockTokens - 1) / options.BlockTokens);
        var fits = (model.Memory?.Cache ?? options.KvMemory ?? DefaultCache) / (KvStore.BytesPerToken(spec, options.CacheType) * options.BlockTokens);
        return (int)Math.Clamp(Math.Min(useful, fits), 1, int.MaxValue / options.BlockTokens);
    }
}
