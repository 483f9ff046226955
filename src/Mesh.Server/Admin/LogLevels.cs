using System.Collections.Immutable;
using System.Reflection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Primitives;

namespace Mesh.Server.Admin;

/// <summary>
/// Levels of the mesh's own log categories that are set while the process runs: rules of <see cref="LoggerFilterOptions"/>, above those of the
/// configuration, so that every provider follows them. They are gone when the process is.
/// </summary>
internal sealed class LogLevels : IPostConfigureOptions<LoggerFilterOptions>, IOptionsChangeTokenSource<LoggerFilterOptions>
{
    /// <summary>What all categories of the mesh begin with.</summary>
    public const string Root = "Mesh";

    // Who may set levels may not fill the memory with names.
    private const int MaxSet = 200;

    private readonly Lock _gate = new();
    private ImmutableSortedDictionary<string, LogLevel> _set = ImmutableSortedDictionary.Create<string, LogLevel>(StringComparer.OrdinalIgnoreCase);
    private CancellationTokenSource _change = new();

    /// <summary>The levels that have been set.</summary>
    public IReadOnlyDictionary<string, LogLevel> Set => _set;

    /// <summary>The categories that there are, beside those that have been set: the parts of the mesh, and whoever of them logs.</summary>
    public static IReadOnlyList<string> Categories { get; } = FindCategories();

    string IOptionsChangeTokenSource<LoggerFilterOptions>.Name => Options.DefaultName;

    /// <summary>Envoy's names of levels, and .NET's.</summary>
    public static bool TryParse(string text, out LogLevel level)
    {
        (var known, level) = text.ToLowerInvariant() switch
        {
            "trace" => (true, LogLevel.Trace),
            "debug" => (true, LogLevel.Debug),
            "info" or "information" => (true, LogLevel.Information),
            "warn" or "warning" => (true, LogLevel.Warning),
            "error" => (true, LogLevel.Error),
            "critical" => (true, LogLevel.Critical),
            "off" or "none" => (true, LogLevel.None),
            _ => (false, default),
        };
        return known;
    }

    /// <summary>Whether a name is that of a category of the mesh.</summary>
    public static bool IsCategory(string name)
        => (name.Equals(Root, StringComparison.OrdinalIgnoreCase) || name.StartsWith(Root + ".", StringComparison.OrdinalIgnoreCase))
            && name.Length <= 200
            && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '+' or '`');

    /// <summary>Sets levels at once; <see langword="null"/> gives a category back to the configuration.</summary>
    /// <returns><see langword="false"/> when that would be too many.</returns>
    public bool Change(IEnumerable<(string Category, LogLevel? Level)> changes)
    {
        CancellationTokenSource changed;
        lock (_gate)
        {
            var next = _set.ToBuilder();
            foreach (var (category, level) in changes)
            {
                if (level is { } value)
                {
                    next[category] = value;
                }
                else
                {
                    next.Remove(category);
                }
            }

            if (next.Count > MaxSet)
            {
                return false;
            }

            _set = next.ToImmutable();
            changed = _change;
            _change = new CancellationTokenSource();
        }

        changed.Cancel();
        return true;
    }

    /// <summary>Gives all categories back to the configuration.</summary>
    public void Reset() => Change([.. _set.Keys.Select(k => (k, (LogLevel?)null))]);

    IChangeToken IOptionsChangeTokenSource<LoggerFilterOptions>.GetChangeToken()
    {
        lock (_gate)
        {
            return new CancellationChangeToken(_change.Token);
        }
    }

    void IPostConfigureOptions<LoggerFilterOptions>.PostConfigure(string? name, LoggerFilterOptions options)
    {
        // A rule that names a provider goes before one that does not, however exact that is: so each provider that rules name gets its own.
        var providers = options.Rules.Select(r => r.ProviderName).Append(null).Distinct().ToList();
        foreach (var (category, level) in _set)
        {
            foreach (var provider in providers)
            {
                // Rules for parts of the category would be more exact, and stand for the level that was before.
                for (var i = options.Rules.Count - 1; i >= 0; i--)
                {
                    if (options.Rules[i] is { CategoryName: { } other } rule
                        && rule.ProviderName == provider
                        && other.StartsWith(category + ".", StringComparison.OrdinalIgnoreCase)
                        && !_set.ContainsKey(other))
                    {
                        options.Rules.RemoveAt(i);
                    }
                }

                options.Rules.Add(new LoggerFilterRule(provider, category, level, null));
            }
        }
    }

    private static List<string> FindCategories()
    {
        var names = new SortedSet<string>(StringComparer.Ordinal) { Root };
        foreach (var assembly in AppDomain.CurrentDomain.GetAssemblies().Where(a => IsCategory(a.GetName().Name ?? "")))
        {
            names.Add(assembly.GetName().Name!);
            foreach (var type in TypesOf(assembly).Where(t => t.FullName is { } name && IsCategory(name) && t.GetNestedType("Log", BindingFlags.NonPublic) is not null))
            {
                names.Add(type.FullName!);
            }
        }

        return [.. names];
    }

    private static IEnumerable<Type> TypesOf(Assembly assembly)
    {
        try
        {
            return assembly.GetTypes();
        }
        catch (ReflectionTypeLoadException e)
        {
            return e.Types.OfType<Type>();
        }
    }
}
