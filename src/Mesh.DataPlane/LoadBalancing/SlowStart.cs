namespace Mesh.DataPlane.LoadBalancing;

/// <summary>Lets the weight of a host that has just come grow to its own (Envoy's <c>slow_start_config</c>, Istio's <c>warmup</c>).</summary>
/// <param name="Window">How long it takes, from the moment the host was first seen healthy.</param>
/// <param name="Aggression">1 lets the weight grow evenly, more lets it grow faster at first; Envoy's default is 1.</param>
/// <param name="MinimumWeight">It begins with this fraction of the weight; Envoy's default is 0.1.</param>
internal sealed record SlowStart(TimeSpan Window, double Aggression = 1.0, double MinimumWeight = 0.1)
{
    /// <summary>How often weights are worked out anew while a host is starting.</summary>
    public TimeSpan Step => TimeSpan.FromTicks(Math.Max(Window.Ticks / 100, TimeSpan.TicksPerMillisecond * 100));

    /// <summary>The part of its weight that a host has: Envoy's max(minimum, (age / window) ^ (1 / aggression)), 1 when the window is over.</summary>
    public double Factor(TimeSpan age)
    {
        if (age >= Window)
        {
            return 1.0;
        }

        var part = Math.Max(age.TotalMilliseconds, 1) / Window.TotalMilliseconds;
        return Math.Max(MinimumWeight, Aggression == 1.0 ? part : Math.Pow(part, 1.0 / Aggression));
    }
}
