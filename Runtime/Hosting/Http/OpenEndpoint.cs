namespace Quilt.Hosting.Http;

/// <summary>Metadata of an endpoint that answers without a key. Whatever lacks it is behind the <see cref="Door"/>.</summary>
internal sealed class OpenEndpoint
{
    private readonly Func<QuiltServerOptions, bool> isOpen;

    private OpenEndpoint(Func<QuiltServerOptions, bool> isOpen) => this.isOpen = isOpen;

    /// <summary>Open on every server: health, and the page's own files.</summary>
    public static OpenEndpoint Always { get; } = new(static _ => true);

    /// <summary>Open where <see cref="QuiltServerOptions.OpenMetrics"/> says so.</summary>
    public static OpenEndpoint Metrics { get; } = new(static options => options.OpenMetrics);

    /// <summary>Whether a server answers it without a key.</summary>
    public bool IsOpen(QuiltServerOptions options) => isOpen(options);
}
