using System.Collections;
using System.Reflection;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Mesh.Xds.Settings;

/// <summary>
/// Tells at start-up of keys that nothing reads: the binder passes over a misspelt one in silence. A warning and no more, since a key may be
/// of a later version.
/// </summary>
internal sealed partial class UnknownSettings(IServiceProvider services, IEnumerable<SettingsSection> sections, ILogger<UnknownSettings> logger) : IHostedService
{
    // Settings files are shared: the section of a package that this application does not use is no slip.
    private static readonly string[] OtherPackages = ["Mesh:ControlPlane", "Mesh:Compat"];

    public static void Add(IServiceCollection services, string path, Type options)
    {
        services.AddSingleton(new SettingsSection(path, options));
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IHostedService, UnknownSettings>());
    }

    public Task StartAsync(CancellationToken cancellationToken)
    {
        if (services.GetService<IConfiguration>() is { } configuration)
        {
            foreach (var (key, hint) in Find(configuration, [.. sections]))
            {
                Log.Unknown(logger, key, hint);
            }
        }

        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>The keys that none of the sections reads, each with what was probably meant.</summary>
    public static IEnumerable<(string Key, string Hint)> Find(IConfiguration configuration, IReadOnlyCollection<SettingsSection> sections)
    {
        var roots = sections.Select(section => section.Path).Concat(OtherPackages).ToHashSet(StringComparer.OrdinalIgnoreCase);
        return sections.SelectMany(section => Find(configuration.GetSection(section.Path), section.Options, roots));
    }

    private static IEnumerable<(string Key, string Hint)> Find(IConfigurationSection section, Type options, HashSet<string> roots)
    {
        var known = options.GetProperties(BindingFlags.Public | BindingFlags.Instance).ToDictionary(p => p.Name, p => p.PropertyType, StringComparer.OrdinalIgnoreCase);
        foreach (var child in section.GetChildren())
        {
            if (known.TryGetValue(child.Key, out var type))
            {
                foreach (var found in IsGroup(type) ? Find(child, type, roots) : [])
                {
                    yield return found;
                }
            }
            else if (!roots.Contains(child.Path))
            {
                var siblings = roots.Where(root => root.StartsWith(section.Path + ":", StringComparison.OrdinalIgnoreCase)).Select(root => root[(section.Path.Length + 1)..]);
                var hint = Suggestion.For(child.Key, known.Keys.Concat(siblings));
                yield return (child.Path, hint.Length > 0 ? hint : $" {section.Path} knows {string.Join(", ", known.Keys.Order(StringComparer.Ordinal))}.");
            }
        }
    }

    private static bool IsGroup(Type type) => type.IsClass && type != typeof(string) && !type.IsAssignableTo(typeof(IEnumerable));

    private static partial class Log
    {
        [LoggerMessage(30, LogLevel.Warning, "The setting {Key} is read by nothing in this version.{Hint}")]
        public static partial void Unknown(ILogger logger, string key, string hint);
    }
}
