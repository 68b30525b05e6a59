using Quilt.Formats;
using Quilt.Formats.Chat;
using Quilt.Formats.Chat.Replies;
using Quilt.Formats.Checkpoints;
using Quilt.Formats.Tokenizers;
using Quilt.Kernels.Devices;
using Quilt.Runtime.Execution;
using Quilt.Runtime.Kv.Tiers;
using Quilt.Runtime.Models;
using Quilt.Runtime.Sampling;
using Quilt.Runtime.Scheduling;

namespace Quilt.Runtime;

/// <summary>
/// A model, loaded and ready to answer. Any number of threads may submit requests; they run together, several sequences in one step, on one thread
/// of the engine's own. What goes wrong in one request ends that request and no other.
/// </summary>
/// <example><code>
/// await using var engine = await Engine.OpenAsync("/models/tiny");
/// await foreach (var piece in engine.Generate("Once upon a time", new() { MaxTokens = 64 })) Console.Write(piece.Text);
/// </code></example>
public sealed partial class Engine : IAsyncDisposable, IDisposable
{
    /// <summary>In the data of a refusal: the prompt is too long, with the tokens that there may be and those that it has.</summary>
    internal const string TooLongKey = "PromptTokens";

    private readonly LoadedModel model;
    private readonly Executor executor;
    private readonly TierSetup? tiers;
    private readonly EngineCore core;
    private readonly ReplyForms forms;
    private readonly int vocabulary;

    internal Engine(LoadedModel model, EngineOptions options)
    {
        (this.model, Options, forms) = (model, options, new ReplyForms(model));
        vocabulary = model.Decoder.Spec.VocabularySize;
        executor = new Executor(model.Decoder, model.Device, model.Memory.Layout, options.Activations, model.Memory.Scratch);
        try
        {
            tiers = TierSetup.Open(model, executor, options);
        }
        catch
        {
            executor.Dispose();
            throw;
        }
        core = new EngineCore(executor, options, tiers?.Tiers);
        MaxTokens = Math.Min(model.Memory.ContextTokens, core.Scheduler.Capacity);
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

    /// <summary>What weights, cache and steps take of the device's memory, as planned when it was opened.</summary>
    public MemoryPlan Memory => model.Memory;

    /// <summary>
    /// What looked wrong in the checkpoint but did not keep it from loading, and what makes the device slower than it should be; that may turn out
    /// later, and then comes last.
    /// </summary>
    public IReadOnlyList<string> Warnings =>
    [
        .. model.Warnings, .. Memory.Warning is { } small ? [small] : Array.Empty<string>(), .. CacheWarning(), .. executor.Warnings,
        .. tiers?.Warnings ?? [],
        .. core.Reports.ObserverFailure is { } thrown
            ? [$"the observer threw and is told nothing more: {thrown.Message}"] : Array.Empty<string>(),
    ];

    /// <summary>
    /// Most tokens that prompt and reply of one request may have together: what the model was made for, or what the cache holds if that is less.
    /// </summary>
    public int MaxTokens { get; }

    /// <summary>Tokens that the model has.</summary>
    public int VocabularySize => vocabulary;

    /// <summary>Bytes of the weights as held in memory.</summary>
    public long WeightBytes => model.Decoder.Weights.Bytes;

    /// <summary>What ended the engine, so that it takes no request any more; null while it is in health.</summary>
    public Exception? Failure => core.Failure;

    /// <summary>The loop, for those who look into it while nothing runs.</summary>
    internal EngineCore Core => core;

    /// <summary>Loads a checkpoint folder (config.json, *.safetensors; tokenizer.json and a chat template where there are any).</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="options">How to run; null: the defaults.</param>
    /// <param name="progress">Hears how far loading has come, on a thread of the engine's.</param>
    /// <param name="cancel">Stops loading; nothing stays allocated.</param>
    /// <exception cref="BadInputException">The folder is not a checkpoint that can be run exactly; the message names file, tensor or key.</exception>
    /// <exception cref="ArgumentException">An option is out of its range.</exception>
    /// <exception cref="NotSupportedException">The device cannot be used, or has too little memory; the message says what would help.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public static Task<Engine> OpenAsync(string folder, EngineOptions? options = null, IProgress<LoadProgress>? progress = null,
        CancellationToken cancel = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        options ??= new EngineOptions();
        options.Validate();
        return Task.Factory.StartNew(
            () => Create(LoadedModel.Open(folder, options, progress, cancel), options, cancel), cancel, TaskCreationOptions.LongRunning,
            TaskScheduler.Default);
    }

    /// <summary>Continues a text as it stands, with no template.</summary>
    /// <param name="prompt">The text; special tokens written in it count as such.</param>
    /// <param name="options">How tokens are chosen and when to stop; null: <see cref="DefaultSampling"/>.</param>
    /// <param name="cancel">Ends the request; its last event then says so.</param>
    /// <exception cref="BadInputException">The folder has no tokenizer, or the prompt is empty or too long.</exception>
    /// <exception cref="ArgumentException">An option is out of its range.</exception>
    /// <exception cref="EngineBusyException">As many requests wait as may (<see cref="EngineOptions.MaxWaiting"/>).</exception>
    /// <exception cref="EngineFailedException">The engine failed before (<see cref="Failure"/>).</exception>
    /// <exception cref="ObjectDisposedException">The engine was disposed of.</exception>
    public Generation Generate(string prompt, SamplingOptions? options = null, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(prompt);
        return Submit(new GenerationRequest { Text = prompt, Sampling = options }, cancel)[0];
    }

    /// <summary>Continues token ids. Works without a tokenizer; the pieces then have no text.</summary>
    /// <inheritdoc cref="Generate(string, SamplingOptions?, CancellationToken)"/>
    public Generation Generate(IReadOnlyList<int> prompt, SamplingOptions? options = null, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(prompt);
        return Submit(new GenerationRequest { Tokens = prompt, Sampling = options }, cancel)[0];
    }

    /// <summary>
    /// Answers a conversation, laid out by the checkpoint's chat template. <see cref="Generation.Replies"/> gives thinking, text and tool calls
    /// apart.
    /// </summary>
    /// <param name="conversation">Messages, tools and template variables.</param>
    /// <param name="options">How tokens are chosen and when to stop; null: <see cref="DefaultSampling"/>.</param>
    /// <param name="reply">
    /// How the reply is read, where engines disagree; tools and where it starts come from the conversation. Null: the defaults.
    /// </param>
    /// <param name="cancel">Ends the request; its last event then says so.</param>
    /// <exception cref="BadInputException">
    /// The folder has no tokenizer or no template, the template refuses the conversation, or the prompt is too long.
    /// </exception>
    /// <inheritdoc cref="Generate(string, SamplingOptions?, CancellationToken)"/>
    public Generation Chat(Conversation conversation, SamplingOptions? options = null, ReplyOptions? reply = null, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(conversation);
        return Submit(new GenerationRequest { Conversation = conversation, Sampling = options, Reply = reply }, cancel)[0];
    }

    /// <summary>Answers a request in all its detail; its choices read the prompt once, where it is cached (docs/api.md).</summary>
    /// <param name="request">What is asked for.</param>
    /// <param name="cancel">Ends the request; the last event of each choice then says so.</param>
    /// <returns>A generation for each choice, in order.</returns>
    /// <inheritdoc cref="Chat"/>
    public IReadOnlyList<Generation> Submit(GenerationRequest request, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        request.Validate(vocabulary);
        return Submit(PromptOf(request), request, cancel);
    }

    /// <summary>What runs, what waits, what is cached, as of the last step. Costs nothing to ask, from any thread.</summary>
    public EngineSnapshot Snapshot() => core.Reports.Snapshot;

    /// <summary>Forgets all that the prefix cache holds, and the tiers behind it; what is in another process stays there.</summary>
    /// <param name="restartRunning">What runs is computed again from its start; else nothing is forgotten while anything runs.</param>
    /// <returns>Whether it was forgotten.</returns>
    /// <exception cref="EngineFailedException">The engine failed before (<see cref="Failure"/>).</exception>
    /// <exception cref="ObjectDisposedException">The engine was disposed of.</exception>
    public Task<bool> ResetPrefixCacheAsync(bool restartRunning = false) => core.TryForgetPrefixesAsync(restartRunning);

    /// <summary>The same for the cache alone: the tiers behind it keep what they have.</summary>
    internal Task<bool> ResetCacheAloneAsync() => core.TryForgetPrefixesAsync(restartRunning: false, withTiers: false);

    /// <summary>Runs one prompt on its own and returns the numbers inside: logits after every token and, if asked for, the layers' own.</summary>
    internal Task<StepTrace> TraceAsync(IReadOnlyList<int> tokens, bool layers = false) => core.TraceAsync(Checked([.. tokens]), layers);

    /// <summary>Ends all requests, frees weights and cache, and stops the engine's threads. Whoever comes second waits for the first.</summary>
    public void Dispose()
    {
        lock (core)
        {
            if (core.IsClosed) return;
            core.Dispose();
            model.Dispose();
        }
    }

    /// <inheritdoc cref="Dispose"/>
    public ValueTask DisposeAsync()
    {
        Dispose();
        return ValueTask.CompletedTask;
    }

    // What belongs to a request is copied here, before it is looked at: nobody can change it behind the engine's back.
    private Generation[] Submit(Prompt prompt, GenerationRequest request, CancellationToken cancel)
    {
        var submitted = TermsOf(prompt, request, _ => core.Wake, cancel);
        core.Submit(submitted);
        return [.. submitted.Select(one => one.Generation)];
    }

    private (Generation Generation, RequestTerms Terms)[] TermsOf(Prompt prompt, GenerationRequest request, Func<int, Action> wake,
        CancellationToken cancel)
    {
        var own = (request.Sampling ?? DefaultSampling).Copy();
        own.Validate(vocabulary);
        if (request.Choices > 1 && own.IsGreedy)
            throw new ArgumentException($"Choices: expected 1 at temperature 0, which makes all of them equal, found {request.Choices}.");
        var thinkingEnd = prompt.Parser is null ? [] : model.ThinkingEnd;
        if (own.ThinkingBudget >= 0 && thinkingEnd.Length == 0)
            throw new ArgumentException("ThinkingBudget: expected a conversation in a dialect that ends thinking with a marker, found none.");
        var form = forms.Of(request);
        var room = MaxTokens - prompt.Ids.Length;
        var most = Math.Min(own.MaxTokens ?? room, room);
        var submitted = new (Generation Generation, RequestTerms Terms)[request.Choices];
        for (var i = 0; i < submitted.Length; i++)
        {
            var sampling = i == 0 || own.Seed is null ? own : own with { Seed = unchecked(own.Seed + i) };
            var parser = prompt.Parser?.Invoke();
            var generation = new Generation(prompt.Ids, wake(i), cancel) { Choice = i, Choices = request.Choices, MaxTokens = most };
            submitted[i] = (generation, new RequestTerms
            {
                Sampling = sampling,
                EndTokens = model.EndTokens,
                Room = room,
                Reply = new ReplyDecoder(Tokenizer, parser, parser is null ? null : model.Markers, sampling) { ThinkingEnd = thinkingEnd },
                Grammar = form?.Invoke(),
                Priority = request.Priority,
                CacheKeys = request.CacheKeys,
                PromptTop = request.PromptLogProbabilities,
                Echo = request.Echo ? prompt.Text ?? Tokenizer?.Decode(prompt.Ids, skipSpecialTokens: true) : null,
                Begun = request.Begun,
                TellsRandom = request.TellsRandom,
                Deadline = request.Deadline,
                MaxWaitingTime = Options.MaxWaitingTime,
            });
        }
        return submitted;
    }

    private Prompt PromptOf(GenerationRequest request)
    {
        if (request.LaidOut is { } laidOut)
        {
            return new(Checked(laidOut.Ids), laidOut.Text,
                request.Conversation is { } answered ? () => model.CreateReplyParser(answered, laidOut.Text ?? "", request.Reply) : null);
        }
        if (request.Conversation is { } conversation)
        {
            var template = request.Template ?? Template
                ?? throw new BadInputException(model.Folder, "chat_template.jinja", "expected a chat template, found none");
            var text = template.Render(conversation);
            return new(Encode(text, request.AddSpecialTokens ?? false, request), text,
                () => model.CreateReplyParser(conversation, text, request.Reply));
        }
        return request.Text is { } raw
            ? new(Encode(raw, request.AddSpecialTokens ?? true, request), raw, null)
            : new(Checked(Cut(request.Tokens!, request)), null, null);
    }

    private int[] Encode(string prompt, bool addSpecialTokens, GenerationRequest request)
    {
        var tokenizer = Tokenizer ?? throw new BadInputException(model.Folder, "tokenizer.json", "expected a tokenizer, found none");
        if (request.TruncatePrompt is not null) return Checked(Cut(tokenizer.Encode(prompt, addSpecialTokens), request));
        return tokenizer.TryEncode(prompt, MaxTokens - 1, out var ids, addSpecialTokens) ? Checked(ids) : throw TooLong($"more than {MaxTokens - 1}");
    }

    private int[] Cut(IReadOnlyList<int> prompt, GenerationRequest request)
    {
        var most = request.TruncatePrompt is { } given and not -1 ? given : MaxTokens - 1;
        if (request.TruncatePrompt is null || prompt.Count <= most)
            return prompt.Count < MaxTokens ? [.. prompt.Take(MaxTokens)] : throw TooLong($"{prompt.Count}");
        return request.TruncateAt == PromptEnd.Start ? [.. prompt.Skip(prompt.Count - most)] : [.. prompt.Take(most)];
    }

    private int[] Checked(int[] prompt)
    {
        if (prompt.Length == 0) throw new BadInputException("prompt", null, "expected at least one token, found none");
        if (prompt.Length >= MaxTokens) throw TooLong($"{prompt.Length}");
        var bad = Array.FindIndex(prompt, id => (uint)id >= (uint)vocabulary);
        return bad < 0 ? prompt : throw new BadInputException("prompt", null, $"expected token ids from 0 to {vocabulary - 1}, found {prompt[bad]}");
    }

    private IEnumerable<string> CacheWarning()
    {
        if (Options.PrefixCaching && model.Device is GpuDevice { Traits.TensorCores: true })
        {
            yield return $"{model.Device.Name}: tensor cores sum a prompt in another order than a reply, so that a cached prompt can change " +
                "the last bits of what follows it (PrefixCaching)";
        }
    }

    private BadInputException TooLong(string found)
    {
        var refusal = new BadInputException("prompt", null, $"expected fewer than {MaxTokens} tokens, found {found}");
        refusal.Data[TooLongKey] = (MaxTokens, found);
        return refusal;
    }

    /// <summary>A prompt, and what reads a reply to it; each choice needs its own.</summary>
    private readonly record struct Prompt(int[] Ids, string? Text, Func<ReplyParser?>? Parser);

    private static Engine Create(LoadedModel model, EngineOptions options, CancellationToken cancel)
    {
        try
        {
            if (options.WarmUp) WarmUp.Run(model, options, cancel);
            return new Engine(model, options);
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }
}
