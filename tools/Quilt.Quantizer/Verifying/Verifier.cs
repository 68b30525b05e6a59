using Quilt.Formats;
using Quilt.Formats.Checkpoints;
using Quilt.Quantizer.Repair;
using Quilt.Quantizer.Verifying.Checks;
using Quilt.Quantizer.Verifying.Forward;
using Quilt.Runtime.Models;

namespace Quilt.Quantizer.Verifying;

/// <summary>
/// Looks for what is wrong with a checkpoint, by itself and beside the one that it was made of: what is missing, damaged, or would go wrong without a
/// word. Tensors are read in pieces; of a model that is run, one layer is in memory.
/// </summary>
internal static class Verifier
{
    private const int Index = 9;
    private const int Config = 10;

    // In the order in which they are run: what the later ones need, the earlier ones have looked at.
    private static Check[] All =>
    [
        new TensorSetCheck(), new ShapeCheck(), new FiniteValueCheck(), new GroupCodeCheck(), new GateErrorCheck(), new UpDownErrorCheck(),
        new NormRatioCheck(), new RouterCheck(), new IndexCheck(), new ConfigCheck(), new LayerForwardCheck(), new WholeModelCheck(),
    ];

    /// <summary>Runs every check, in order.</summary>
    /// <param name="modelFolder">The checkpoint.</param>
    /// <param name="officialFolder">The one that it was made of; null: checks that need it are skipped.</param>
    /// <param name="options">What is asked for.</param>
    /// <param name="progress">Hears of each check when it is done.</param>
    /// <param name="cancel">Ends it.</param>
    /// <exception cref="BadInputException">There is no such folder, it is packed, or the official checkpoint cannot be opened or is not of
    /// the model's sizes, or a prompt is not of its vocabulary.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public static IReadOnlyList<CheckResult> Run(string modelFolder, string? officialFolder, VerifyOptions? options = null,
        IProgress<CheckResult>? progress = null, CancellationToken cancel = default)
    {
        if (!Directory.Exists(modelFolder)) throw new BadInputException(modelFolder, null, "expected a checkpoint folder, found none");
        Checkpoint model;
        try
        {
            model = Checkpoint.OpenHeaders(modelFolder);
        }
        catch (BadInputException refused)
        {
            return Report(All.Select(check => Unopened(check, refused)), progress);
        }
        using (model)
        {
            model.RequireUnpacked();
            using var official = officialFolder is null ? null : Checkpoint.OpenHeaders(officialFolder);
            return Report(Run(model, official, options ?? new VerifyOptions(), cancel), progress);
        }
    }

    private static IEnumerable<CheckResult> Run(Checkpoint model, Checkpoint? official, VerifyOptions options, CancellationToken cancel)
    {
        if (!Architectures.Names.Contains(model.Config.ModelType))
        {
            var why = $"the architecture {model.Config.ModelType} is not known here";
            return All.Select(check => check is IndexCheck index ? index.Run(model, model.Warnings, cancel) : check.Skip(why));
        }
        DecoderSpec spec;
        try
        {
            spec = Architectures.Describe(model.Config);
        }
        catch (BadInputException refused)
        {
            return All.Select(check => Unopened(check, refused));
        }
        if (official is not null) SameSizes.Of(official, model);
        foreach (var prompt in options.Prompts ?? []) LayerRunner.Check(spec, prompt);
        var subject = new CheckSubject(model, spec, official, options, cancel);
        return All.Select(check => Run(check, subject));
    }

    private static CheckResult Run(Check check, CheckSubject subject)
    {
        subject.Cancel.ThrowIfCancellationRequested();
        return check.WhyNot(subject) is { } why ? check.Skip(why) : check.Run(subject);
    }

    // The check whose matter it is tells of it, and the others that they could not look.
    private static CheckResult Unopened(Check check, BadInputException refused)
    {
        var teller = Path.GetFileName(refused.Origin) == ModelConfig.FileName ? Config : Index;
        return check.Id == teller
            ? new CheckResult(check.Id, check.Name, CheckStatus.Fail, refused.Message)
            : check.Skip($"the checkpoint cannot be opened, see {teller}");
    }

    private static List<CheckResult> Report(IEnumerable<CheckResult> results, IProgress<CheckResult>? progress)
    {
        var all = new List<CheckResult>();
        foreach (var result in results)
        {
            all.Add(result);
            progress?.Report(result);
        }
        return all;
    }
}
