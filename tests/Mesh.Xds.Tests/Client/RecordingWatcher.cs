using System.Threading.Channels;
using Mesh.Xds.Client;

namespace Mesh.Xds.Tests.Client;

/// <summary>Writes down what it is told, in order.</summary>
internal sealed class RecordingWatcher : IResourceWatcher<string>
{
    private readonly Channel<string> _events = Channel.CreateUnbounded<string>();

    /// <summary>Runs inside each call, after it has been written down.</summary>
    public Action<string>? Then { get; init; }

    public async Task<string> NextAsync() => await _events.Reader.ReadAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(30));

    public bool IsQuiet => _events.Reader.Count == 0;

    public void OnChanged(string name, string resource, string version) => Record($"{resource} @{version}");

    public void OnResourceError(string name, ResourceError error) => Record($"{name} error {error.Kind}: {error.Message}");

    public void OnAmbientError(string name, ResourceError error) => Record($"{name} ambient {error.Kind}: {error.Message}");

    private void Record(string what)
    {
        _events.Writer.TryWrite(what);
        Then?.Invoke(what);
    }
}
