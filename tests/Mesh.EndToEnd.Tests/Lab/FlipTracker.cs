using System.Collections.Concurrent;
using System.Globalization;

namespace Mesh.EndToEnd.Tests.Lab;

/// <summary>
/// Knows which configurations were in force while a request was on its way: none older than the newest that any earlier answer of the same
/// target has shown, none newer than the last that was saved. Each configuration sends /a and /b to versions of its own, so an answer that
/// fits none of them is a mix.
/// </summary>
internal sealed class FlipTracker(IReadOnlyList<string> targets, int versions) : IRequestTracker
{
    private readonly ConcurrentDictionary<string, int> _observed = new(targets.ToDictionary(target => target, _ => 0));
    private readonly Lock _gate = new();
    private int _saved;
    private (int Index, TaskCompletionSource Reached) _awaited = (0, new TaskCompletionSource());

    /// <summary>The version that a path goes to under configuration <paramref name="index"/>.</summary>
    public string VersionOf(int index, string path)
        => string.Create(CultureInfo.InvariantCulture, $"v{((index + (path == "/a" ? 0 : 1)) % versions) + 1}");

    /// <summary>The rules of configuration <paramref name="index"/>: every other one says the same things in another way.</summary>
    public string Rules(string host, int index)
    {
        var (a, b) = (VersionOf(index, "/a"), VersionOf(index, "/b"));
        return Yaml.VirtualService(host, index % 2 == 0
            ? $$"""
               - match: [{uri: {prefix: /a} }]
                 route: [{destination: {host: {{host}}, subset: {{a}} } }]
               - route: [{destination: {host: {{host}}, subset: {{b}} } }]
               """
            : $$"""
               - match: [{headers: {x-never: {exact: "sent"} } }]
                 route: [{destination: {host: {{host}}, subset: v1} }]
               - match: [{uri: {exact: /b} }]
                 route: [{destination: {host: {{host}}, subset: {{b}} }, weight: 100}, {destination: {host: {{host}}, subset: {{a}} }, weight: 0}]
               - route: [{destination: {host: {{host}}, subset: {{a}} } }]
               """);
    }

    /// <summary>Saves a configuration; completes when every target has answered by it.</summary>
    public Task FlipAsync(int index, Action save)
    {
        Task reached;
        lock (_gate)
        {
            _saved = index;
            _awaited = (index, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
            reached = _awaited.Reached.Task;
        }

        save();
        return reached;
    }

    public int Begin(string target) => _observed[target];

    public string? End(string target, string path, int token, string version)
    {
        lock (_gate)
        {
            for (var index = token; index <= _saved; index++)
            {
                if (VersionOf(index, path) == version)
                {
                    _observed[target] = Math.Max(_observed[target], index);
                    if (_observed.Values.All(observed => observed >= _awaited.Index))
                    {
                        _awaited.Reached.TrySetResult();
                    }

                    return null;
                }
            }

            return $"{target}{path} was answered by {version}, which no configuration from {token} to {_saved} sends it to";
        }
    }
}
