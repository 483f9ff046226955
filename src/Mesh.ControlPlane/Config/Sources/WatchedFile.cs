namespace Mesh.ControlPlane.Config.Sources;

/// <summary>One file: what of it serves, and what was seen of it since.</summary>
internal sealed class WatchedFile(string name)
{
    private readonly LastGood _lastGood = new();
    private string? _applied;
    private string? _pending;
    private DateTimeOffset _since;

    public IReadOnlyList<ConfigResource> Resources => _lastGood.Resources;

    public IReadOnlyList<ConfigDiagnostic> Diagnostics => _lastGood.Diagnostics;

    /// <summary>The file is gone, for good.</summary>
    public bool Removed { get; private set; }

    /// <summary>Takes what was seen; applies it when it has not changed for <paramref name="settle"/>.</summary>
    /// <returns>When to look again, if something is unsettled.</returns>
    public DateTimeOffset? Observe(FileContent content, DateTimeOffset now, TimeSpan settle, ConfigReader reader, out bool changed)
    {
        changed = false;
        if (content.Hash == _applied)
        {
            _pending = null;
            return null;
        }

        if (content.Hash != _pending)
        {
            _pending = content.Hash;
            _since = now;
        }

        if (now - _since < settle)
        {
            return _since + settle;
        }

        changed = true;
        _applied = content.Hash;
        _pending = null;
        switch (content.State)
        {
            case FileState.Text:
                _lastGood.Apply(reader.Read(content.Text!, name));
                break;
            case FileState.Unusable:
                var kept = Resources.Count == 0 ? "." : "; until then its last good documents stay.";
                _lastGood.Keep(new ConfigDiagnostic(ConfigSeverity.Error, ConfigCodes.Unreadable, name, content.Line, content.Column, "", null, content.Problem + kept));
                break;
            case FileState.Missing:
                Removed = true;
                break;
        }

        return null;
    }
}
