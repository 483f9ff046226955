using Mesh.Xds.Validation;

namespace Mesh.Xds.Client;

/// <summary>Collects what is wrong with the resources of one response; bounded, because a hostile server decides how much that is.</summary>
internal sealed class NackDetail(string shortName)
{
    private const int MaxEntries = 32;
    private const int MaxLength = 512;
    private readonly List<string> _entries = [];
    private int _more;

    public void Add(string resource, string field, string reason)
    {
        if (_entries.Count == MaxEntries)
        {
            _more++;
            return;
        }

        var entry = PrintableText.Of($"{shortName} {resource}: {field}: {reason}");
        _entries.Add(entry.Length <= MaxLength ? entry : $"{entry.AsSpan(0, MaxLength)}…");
    }

    /// <summary>The text of the NACK; <see langword="null"/> if nothing was wrong.</summary>
    public string? Build()
        => _entries.Count == 0 ? null
            : _more == 0 ? string.Join("; ", _entries)
            : $"{string.Join("; ", _entries)}; and {_more} more";
}
