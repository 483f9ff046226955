namespace Mesh.DataPlane.Redirects;

/// <summary>The redirects that one request has followed; it travels with the messages that follow.</summary>
internal sealed class InternalRedirectHistory
{
    private static readonly HttpRequestOptionsKey<InternalRedirectHistory> Key = new("mesh.internal_redirects");

    private readonly HashSet<(string From, string To)> _routes = [];

    public uint Count { get; set; }

    /// <summary>The history of a request, which is empty until a redirect was followed.</summary>
    public static InternalRedirectHistory Of(HttpRequestMessage request)
        => request.Options.TryGetValue(Key, out var history) ? history : new InternalRedirectHistory();

    public void AttachTo(HttpRequestMessage request) => request.Options.Set(Key, this);

    /// <summary>Takes note that one route leads to another; <see langword="false"/> when it has before.</summary>
    public bool TryAdd(string from, string to) => _routes.Add((from, to));
}
