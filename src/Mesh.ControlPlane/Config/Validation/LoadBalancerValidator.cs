using Istio.Networking.V1Alpha3;
using Hash = Istio.Networking.V1Alpha3.LoadBalancerSettings.Types.ConsistentHashLB;
using SimpleLb = Istio.Networking.V1Alpha3.LoadBalancerSettings.Types.SimpleLB;

namespace Mesh.ControlPlane.Config.Validation;

internal static class LoadBalancerValidator
{
    /// <summary>Envoy's bounds.</summary>
    private const ulong MaxRingSize = 8_388_608;
    private const ulong MaxTableSize = 5_000_011;

    /// <summary>RFC 6265: what a client keeps of a cookie at least, and browsers at most.</summary>
    private const int MaxCookieLength = 4096;

    public static void Validate(LoadBalancerSettings? balancer, OutlierDetection? outlier, string path, ValidationContext context)
    {
        if (balancer is null)
        {
            return;
        }

        if (balancer.ConsistentHash is { } hash)
        {
            Key(hash, $"{path}.consistentHash", context);
            Algorithm(hash, $"{path}.consistentHash", context);
        }

        if (balancer is { LocalityLbSetting: not null, ZoneAwareLbSetting: not null })
        {
            context.Error($"{path}.zoneAwareLbSetting", "cannot be given beside localityLbSetting: keep one.");
        }

        LocalityLbValidator.Validate(balancer.LocalityLbSetting, outlier, $"{path}.localityLbSetting", context);
        LocalityLbValidator.Validate(balancer.ZoneAwareLbSetting, outlier, $"{path}.zoneAwareLbSetting", context);
        Warmup(balancer, path, context);
    }

    private static void Key(Hash hash, string path, ValidationContext context)
    {
        switch (hash.HashKeyCase)
        {
            case Hash.HashKeyOneofCase.None:
                context.Error(path, "must have httpHeaderName, httpCookie, useSourceIp or httpQueryParameterName.");
                break;
            case Hash.HashKeyOneofCase.HttpHeaderName when !FieldRules.IsHeaderName(hash.HttpHeaderName):
                context.Error($"{path}.httpHeaderName", $"\"{hash.HttpHeaderName}\" is not the name of a header.");
                break;
            case Hash.HashKeyOneofCase.HttpQueryParameterName when hash.HttpQueryParameterName.Length == 0:
                context.Error($"{path}.httpQueryParameterName", "is required.");
                break;
            case Hash.HashKeyOneofCase.HttpCookie:
                Cookie(hash.HttpCookie, $"{path}.httpCookie", context);
                break;
        }
    }

    private static void Cookie(Hash.Types.HTTPCookie cookie, string path, ValidationContext context)
    {
        if (cookie.Name.Length == 0)
        {
            context.Error($"{path}.name", "is required.");
        }
        else if (!FieldRules.IsHeaderName(cookie.Name))
        {
            context.Error($"{path}.name", $"\"{cookie.Name}\" is not the name of a cookie.");
        }

        if (cookie.Ttl is { } ttl && (ttl.Seconds < 0 || ttl.Nanos < 0))
        {
            context.Error($"{path}.ttl", "must not be negative; 0s makes a cookie of the session.");
        }

        if (!IsAttributeText(cookie.Path))
        {
            context.Error($"{path}.path", "must be of ASCII, without ';' and control characters, which would end the attribute.");
        }

        var names = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        for (var i = 0; i < cookie.Attributes.Count; i++)
        {
            var attribute = cookie.Attributes[i];
            if (attribute.Name.Length == 0)
            {
                context.Error($"{path}.attributes[{i}].name", "is required.");
            }
            else if (!names.Add(attribute.Name))
            {
                context.Error($"{path}.attributes[{i}].name", $"the attribute \"{attribute.Name}\" is given twice: keep one.");
            }

            if (attribute.Name.Length + attribute.Value.Length > MaxCookieLength)
            {
                context.Error($"{path}.attributes[{i}]", $"must have at most {MaxCookieLength} characters: clients keep no longer cookies.");
            }

            if (attribute.Name.Length > 0 && !FieldRules.IsHeaderName(attribute.Name))
            {
                context.Error($"{path}.attributes[{i}].name", $"\"{attribute.Name}\" is not the name of an attribute.");
            }

            if (!IsAttributeText(attribute.Value))
            {
                context.Error($"{path}.attributes[{i}].value", "must be of ASCII, without ';' and control characters, which would end the attribute.");
            }
        }
    }

    private static bool IsAttributeText(string text) => !text.AsSpan().ContainsAnyExceptInRange(' ', '~') && !text.Contains(';');

    private static void Algorithm(Hash hash, string path, ValidationContext context)
    {
#pragma warning disable CS0612 // The older place of the ring's size.
        if (hash.MinimumRingSize != 0 && hash.HashAlgorithmCase != Hash.HashAlgorithmOneofCase.None)
        {
            context.Error($"{path}.minimumRingSize", "cannot be given beside ringHash or maglev: move it into ringHash.");
        }

        RingSize(hash.MinimumRingSize, $"{path}.minimumRingSize", context);
#pragma warning restore CS0612
        RingSize(hash.RingHash?.MinimumRingSize ?? 0, $"{path}.ringHash.minimumRingSize", context);
        if (hash.Maglev is not { } maglev)
        {
            return;
        }

        if (maglev.TableSize == 0)
        {
            context.Error($"{path}.maglev.tableSize", "is required: a prime number, such as 65537.");
        }
        else if (maglev.TableSize >= MaxTableSize || !IsPrime(maglev.TableSize))
        {
            context.Error($"{path}.maglev.tableSize", $"must be a prime number below {MaxTableSize}, not {maglev.TableSize}.");
        }
    }

    private static void RingSize(ulong size, string path, ValidationContext context)
    {
        if (size > MaxRingSize)
        {
            context.Error(path, $"must be at most {MaxRingSize}, not {size}.");
        }
    }

    private static void Warmup(LoadBalancerSettings balancer, string path, ValidationContext context)
    {
        if (balancer.Warmup is { } warmup)
        {
            if (warmup.Duration is null)
            {
                context.Error($"{path}.warmup.duration", "is required.");
            }

            FieldRules.AtLeastAMillisecond(warmup.Duration, $"{path}.warmup.duration", context);
            if (warmup.MinimumPercent is not null and not (>= 0 and <= 100))
            {
                context.Error($"{path}.warmup.minimumPercent", $"must be from 0 to 100, not {warmup.MinimumPercent}.");
            }

            if (warmup.Aggression is not null and not (> 0 and < double.PositiveInfinity))
            {
                context.Error($"{path}.warmup.aggression", $"must be greater than 0, not {warmup.Aggression}.");
            }
        }

        FieldRules.AtLeastAMillisecond(balancer.WarmupDurationSecs, $"{path}.warmupDurationSecs", context);
        if (balancer is { Warmup: not null, WarmupDurationSecs: not null })
        {
            context.Warn($"{path}.warmupDurationSecs", "is not used beside warmup, which took its place.");
        }

        if ((balancer.Warmup is not null || balancer.WarmupDurationSecs is not null)
            && (balancer.ConsistentHash is not null || balancer.Simple is SimpleLb.Random or SimpleLb.Passthrough))
        {
            context.NotApplied(
                balancer.Warmup is not null ? $"{path}.warmup" : $"{path}.warmupDurationSecs",
                "accepted, but without effect: only ROUND_ROBIN and LEAST_REQUEST have weights to warm up, in Istio as well.");
        }
    }

    private static bool IsPrime(ulong number)
    {
        if (number < 4)
        {
            return number > 1;
        }

        if (number % 2 == 0)
        {
            return false;
        }

        for (var factor = 3UL; factor * factor <= number; factor += 2)
        {
            if (number % factor == 0)
            {
                return false;
            }
        }

        return true;
    }
}
