using Microsoft.Extensions.Options;

namespace Mesh.ControlPlane.Hosting;

/// <summary>One clear line for each setting that cannot work, when the application starts.</summary>
internal sealed class MeshControlPlaneOptionsValidator : IValidateOptions<MeshControlPlaneOptions>
{
    private const string Section = MeshControlPlaneOptions.SectionName;

    public ValidateOptionsResult Validate(string? name, MeshControlPlaneOptions options)
    {
        var failures = new List<string>();
        if (options.ConfigFolder is { } folder && !Directory.Exists(folder))
        {
            failures.Add(File.Exists(folder)
                ? $"The folder of Istio YAML is \"{folder}\", which is a file; name the folder that holds it, in LoadFromIstio or in {Section}:ConfigFolder."
                : $"The folder of Istio YAML \"{folder}\" does not exist; create it or correct the path, in LoadFromIstio or in {Section}:ConfigFolder.");
        }

        if (options.ClusterDomain.Length == 0 || Uri.CheckHostName(options.ClusterDomain) != UriHostNameType.Dns || options.ClusterDomain.EndsWith('.'))
        {
            failures.Add($"{Section}:ClusterDomain is \"{options.ClusterDomain}\", which is no DNS domain; the usual one is cluster.local.");
        }

        CheckDuration(nameof(options.DisconnectGrace), options.DisconnectGrace);
        CheckDuration(nameof(options.RestartGrace), options.RestartGrace);
        CheckDuration(nameof(options.PushDebounce), options.PushDebounce);
        CheckDuration(nameof(options.PushDebounceMax), options.PushDebounceMax);
        if (options.PushDebounceMax < options.PushDebounce)
        {
            failures.Add($"{Section}:PushDebounceMax is {options.PushDebounceMax}, less than PushDebounce ({options.PushDebounce}); make it as long.");
        }

        if (options.Load.Interval < TimeSpan.FromSeconds(1) || options.Load.Interval > TimeSpan.FromMinutes(1))
        {
            failures.Add($"{Section}:Load:Interval is {options.Load.Interval}; it must be between 1 second and 1 minute.");
        }
        else if (options.Load.Window < 3 * options.Load.Interval || options.Load.Window > TimeSpan.FromHours(1))
        {
            failures.Add($"{Section}:Load:Window is {options.Load.Window}; it must be at least three times Load:Interval ({options.Load.Interval}), and at most 1 hour.");
        }

        SecurityOptionsRules.Check(options, failures);
        return failures.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(failures);

        void CheckDuration(string option, TimeSpan value)
        {
            if (value < TimeSpan.Zero || value > TimeSpan.FromDays(1))
            {
                failures.Add($"{Section}:{option} is {value}; it must be between 0 and 1 day.");
            }
        }
    }
}
