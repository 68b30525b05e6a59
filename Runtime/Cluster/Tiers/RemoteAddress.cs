using StackExchange.Redis;

namespace Quilt.Cluster.Tiers;

/// <summary>Where a server is that speaks RESP, as its users write it.</summary>
internal static class RemoteAddress
{
    private const int UsualPort = 6379;

    /// <summary>Reads <c>redis://[[USER]:PASSWORD@]HOST[:PORT][/DATABASE]</c>, or <c>rediss://</c> for TLS.</summary>
    /// <returns>How to reach it, and its name without a password.</returns>
    /// <exception cref="ArgumentException">It is no such URL.</exception>
    public static (ConfigurationOptions Server, string Name) Parse(string url)
    {
        var database = 0;
        if (!Uri.TryCreate(url, UriKind.Absolute, out var uri) || uri.Scheme is not ("redis" or "rediss") || uri.Host.Length == 0
            || uri.Query.Length > 0 || (uri.AbsolutePath is not ("" or "/") && !int.TryParse(uri.AbsolutePath[1..], out database)) || database < 0)
            throw new ArgumentException("KvRemote: expected redis://[[USER]:PASSWORD@]HOST[:PORT][/DATABASE] or rediss://..., found another form.");
        var user = uri.UserInfo.Split(':', 2);
        var port = uri.IsDefaultPort || uri.Port < 0 ? UsualPort : uri.Port;
        var server = new ConfigurationOptions
        {
            AbortOnConnectFail = true, ConnectRetry = 1, ConnectTimeout = 2000, SyncTimeout = 5000, AsyncTimeout = 5000, DefaultDatabase = database,
            Ssl = uri.Scheme == "rediss", ClientName = "quilt", BacklogPolicy = BacklogPolicy.FailFast, TieBreaker = "", ConfigurationChannel = "",
            // No messages are waited for: one connection will do.
            CommandMap = CommandMap.Create(["SUBSCRIBE", "UNSUBSCRIBE", "PSUBSCRIBE", "PUNSUBSCRIBE", "PUBLISH"], available: false),
        };
        server.EndPoints.Add(uri.IdnHost, port);
        if (user.Length == 2) server.Password = Uri.UnescapeDataString(user[1]);
        if (user.Length == 2 && user[0].Length > 0) server.User = Uri.UnescapeDataString(user[0]);
        return (server, FormattableString.Invariant($"{uri.Scheme}://{uri.Host}:{port}"));
    }
}
