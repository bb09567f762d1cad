package main

import (
	"context"

	"berkas/handlers"
	"berkas/internal/auth"
	"berkas/internal/fault"
	"berkas/models"
)

// addDemoPeople makes the demonstration's people, one for each role. They exist only where the counterpart is a simulator
// and nobody but this machine reaches the portal. DEMO_PASSWORD is theirs at each start.
func (p *portal) addDemoPeople(ctx context.Context) error {
	for _, person := range handlers.DemoPeople {
		known, err := p.store.PersonByEmail(ctx, person.Email)
		if err == nil {
			if err := p.keepDemoPassword(ctx, known); err != nil {
				return err
			}
			continue
		}
		if !fault.Is(err, fault.NotFound) {
			return err
		}
		_, err = p.gate.AddPerson(ctx, models.System, auth.NewPerson{Email: person.Email, Name: person.Name, Role: models.Role(person.Role), Password: p.config.DemoPassword, Demo: true})
		if err != nil {
			return err
		}
	}
	return nil
}

func (p *portal) keepDemoPassword(ctx context.Context, person models.Person) error {
	same, err := auth.CheckPassword(ctx, person.PasswordHash, p.config.DemoPassword)
	if err != nil || same {
		return err
	}
	return p.gate.ResetPassword(ctx, models.System, person.Email, p.config.DemoPassword)
}
