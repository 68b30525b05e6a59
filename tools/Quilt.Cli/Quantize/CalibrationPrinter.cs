using Quilt.Quantizer.Awq;

namespace Quilt.Cli.Quantize;

/// <summary>Says on standard error, once a layer, how far a run is and how long the rest will take.</summary>
internal sealed class CalibrationPrinter : IProgress<LayerProgress>
{
    private int said = -1;

    public void Report(LayerProgress value)
    {
        if (value.Layer == said || (value.Left is null && value.Layer > 0)) return;
        said = value.Layer;
        var left = value.Left is { } time ? $", {Words(time)} left" : "";
        Console.Error.WriteLine(FormattableString.Invariant($"layer {value.Layer + 1} of {value.Layers}{left}"));
    }

    /// <summary>Says what a run will take.</summary>
    public static void Plan(CalibrationForecast plan)
    {
        Console.Error.WriteLine(FormattableString.Invariant(
            $"{plan.Samples} samples, {plan.Tokens} tokens, in {plan.Batches} batch{(plan.Batches == 1 ? "" : "es")}; {plan.Layers} layers to do"));
        var (output, work) = (plan.OutputBytes / 1e9, plan.WorkBytes / 1e9);
        Console.Error.WriteLine(FormattableString.Invariant(
            $"at most {plan.Memory / (double)(1L << 30):0.0} GiB of memory; {output:0.0} GB to write, {work:0.0} GB of disk beside them"));
        if (plan.PerLayer is { } time) Console.Error.WriteLine($"{Words(time)} a layer, {Words(time * plan.Layers)} in all");
    }

    /// <summary>A time in the two units that matter.</summary>
    public static string Words(TimeSpan time) => time switch
    {
        { TotalDays: >= 1 } => FormattableString.Invariant($"{(int)time.TotalDays} d {time.Hours} h"),
        { TotalHours: >= 1 } => FormattableString.Invariant($"{(int)time.TotalHours} h {time.Minutes} min"),
        { TotalMinutes: >= 1 } => FormattableString.Invariant($"{(int)time.TotalMinutes} min {time.Seconds} s"),
        _ => FormattableString.Invariant($"{time.TotalSeconds:0} s"),
    };
}
