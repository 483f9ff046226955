using System.Collections;
using System.Diagnostics.CodeAnalysis;

namespace Mesh.Filters;

/// <summary>
/// The headers of one side of an exchange. Names are compared without regard to case; where a runtime keeps the headers of the body apart
/// (<c>content-type</c>, <c>expires</c>, <c>allow</c> …), they are found here all the same.
/// </summary>
public sealed class HttpExchangeHeaders : IEnumerable<KeyValuePair<string, string>>
{
    private readonly HttpExchangeAdapter _adapter;
    private readonly HeaderSide _side;

    internal HttpExchangeHeaders(HttpExchangeAdapter adapter, HeaderSide side) => (_adapter, _side) = (adapter, side);

    /// <summary>The value of a header, several joined as they go over the wire; <see langword="null"/> when it is absent.</summary>
    /// <param name="name">The name.</param>
    public string? this[string name] => TryGet(name, out var value) ? value : null;

    /// <summary>Looks a header up.</summary>
    /// <param name="name">The name.</param>
    /// <param name="value">Its value, several joined as they go over the wire.</param>
    /// <returns>Whether it is there.</returns>
    public bool TryGet(string name, [NotNullWhen(true)] out string? value)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        return _adapter.TryGetHeader(_side, name, out value);
    }

    /// <summary>Whether a header is there, be it empty.</summary>
    /// <param name="name">The name.</param>
    public bool Contains(string name) => TryGet(name, out _);

    /// <summary>Gives a header one value, in place of those it has.</summary>
    /// <param name="name">The name.</param>
    /// <param name="value">The value.</param>
    /// <exception cref="ArgumentException">The name is no token, or the value has a line break or another control character.</exception>
    public void Set(string name, string value)
    {
        HeaderSyntax.Check(name, value);
        _adapter.RemoveHeader(_side, name);
        _adapter.AddHeader(_side, name, value);
    }

    /// <summary>Adds a value to those that a header has.</summary>
    /// <param name="name">The name.</param>
    /// <param name="value">The value.</param>
    /// <exception cref="ArgumentException">The name is no token, or the value has a line break or another control character.</exception>
    public void Add(string name, string value)
    {
        HeaderSyntax.Check(name, value);
        _adapter.AddHeader(_side, name, value);
    }

    /// <summary>Removes a header.</summary>
    /// <param name="name">The name.</param>
    /// <returns>Whether it was there.</returns>
    public bool Remove(string name)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        return _adapter.RemoveHeader(_side, name);
    }

    /// <summary>All headers as they are now, one pair for each value.</summary>
    public IEnumerator<KeyValuePair<string, string>> GetEnumerator()
    {
        var headers = new List<KeyValuePair<string, string>>();
        _adapter.CopyHeaders(_side, headers);
        return headers.GetEnumerator();
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
